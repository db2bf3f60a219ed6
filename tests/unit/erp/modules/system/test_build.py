from __future__ import annotations

from pathlib import Path

import pytest

from steinmetz.erp.modules.system.build import commit

HASH = "0123456789abcdef" * 2 + "01234567"
OTHER = HASH[::-1]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The package in a clone whose HEAD is the branch main."""
    git = tmp_path / "clone" / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    source = tmp_path / "clone" / "src" / "steinmetz"
    source.mkdir(parents=True)
    return source


def git_of(source: Path) -> Path:
    return source.parent.parent / ".git"


def test_whoever_built_it_knows_best(source: Path) -> None:
    assert commit("abc123", source) == "abc123"


def test_a_clone_knows_its_commit(source: Path) -> None:
    (git_of(source) / "refs" / "heads" / "main").write_text(f"{HASH}\n")
    assert commit(None, source) == HASH


def test_a_branch_may_be_packed(source: Path) -> None:
    packed = f"# pack-refs\n{OTHER} refs/heads/other\n{HASH} refs/heads/main\n"
    (git_of(source) / "packed-refs").write_text(packed)
    assert commit(None, source) == HASH


def test_a_commit_may_be_checked_out_without_a_branch(source: Path) -> None:
    (git_of(source) / "HEAD").write_text(HASH)
    assert commit(None, source) == HASH


def test_a_linked_work_tree_asks_the_clone_that_it_belongs_to(source: Path, tmp_path: Path) -> None:
    (git_of(source) / "refs" / "heads" / "part").write_text(HASH)
    own = git_of(source) / "worktrees" / "part"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/part")
    (own / "commondir").write_text("../..\n")
    linked = tmp_path / "part" / "src" / "steinmetz"
    linked.mkdir(parents=True)
    (tmp_path / "part" / ".git").write_text(f"gitdir: {own}\n")
    assert commit(None, linked) == HASH


def test_an_installed_package_knows_none(tmp_path: Path) -> None:
    assert commit(None, tmp_path / "site-packages" / "steinmetz") is None
