"""What an import changes: the outline of a file against the tree that is stored; pure.

A node that a file has made belongs to that file: its title, icon, kind, parent and order are the file's, whatever
was done to them by hand. Its description and lowest role are the people's. It is found again by its **key**, the
steps of its path in the file; one whose path has changed is recognised by its last step, if no other comes into
question. What is not the file's is never changed, but that it goes where its parent goes.
"""

from steinmetz.erp.modules.catalog.planning import (
    changes,
    limits,
    matching,
    naming,
    nodes,
    places,
    plan,
    visibility,
)

__all__ = ["changes", "limits", "matching", "naming", "nodes", "places", "plan", "visibility"]
