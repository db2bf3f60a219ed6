"""What files of a catalogue say: bytes in, an outline or a rules document and findings out; pure.

A file is never half understood. What would lose or misplace a node refuses the file as a whole; what could be
mended, and what the rules would do otherwise, is a finding beside the outline.
"""
