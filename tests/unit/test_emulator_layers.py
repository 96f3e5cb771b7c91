"""A layer on this machine's stack: unpacked once, however many processes use it."""

import zipfile
from pathlib import Path

from local.emulator_layers import SHARING


def unpacked(folder: Path, content: str) -> Path:
    """The layer as a process finds it, unpacked as MiniStack does for each one it begins."""
    target, written = folder / "layer_0", folder / "layer_0.zip"
    target.mkdir(parents=True)
    with zipfile.ZipFile(written, "w") as new:
        new.writestr("python/wallet/__init__.py", content)
    with SHARING.ZipFile(str(written)) as layer:
        assert layer.namelist() == ["python/wallet/__init__.py"]
        layer.extractall(str(target))
    assert not written.exists()
    return target / "python" / "wallet" / "__init__.py"


def test_processes_of_one_layer_share_its_files_and_what_they_compile(tmp_path: Path) -> None:
    first, second = unpacked(tmp_path / "worker-1", "one = 1"), unpacked(tmp_path / "worker-2", "one = 1")
    assert first.read_text() == "one = 1"
    assert first.samefile(second)
    (first.parent / "__pycache__").mkdir()
    assert (second.parent / "__pycache__").exists()
    assert len(list(tmp_path.glob("layer-*"))) == 1
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "worker-1",
        "worker-2",
        *(path.name for path in tmp_path.glob("layer-*")),
    }


def test_another_layer_is_another_one(tmp_path: Path) -> None:
    old, new = unpacked(tmp_path / "worker-1", "one = 1"), unpacked(tmp_path / "worker-2", "one = 2")
    assert (old.read_text(), new.read_text()) == ("one = 1", "one = 2")


def test_a_functions_own_code_is_unpacked_where_it_is_wanted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as new:
        new.writestr("app.py", "")
    with SHARING.ZipFile(str(tmp_path / "code.zip")) as code:
        code.extractall(tmp_path / "code")
    assert (tmp_path / "code" / "app.py").exists()
    assert not (tmp_path / "code").is_symlink()
    assert (tmp_path / "code.zip").exists()
