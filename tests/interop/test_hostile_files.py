"""Files that want to run code, that break off, or that are something else: one line, and nothing happens."""

import copyreg
import io
import os
import pickle
import resource
import struct
import subprocess
import sys

import msgpack
import numpy as np
import pytest
import torch_files
from torch_files import call, dictionary, name, pickled, tensor, tuple_of, value

from score_sde.errors import InputError
from score_sde.interop.weights import read_weights

ONE = {"0": np.zeros(1, np.float32)}


def refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def text(words):
    return value(words)


def stack_name(module, attribute):
    return text(module) + text(attribute) + b"\x93"


class Evil:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def attacks(marker):
    """Instructions that make the file ``marker`` when a pickle is executed, by every road there is."""
    touch, source = f"touch {marker}", f"open({str(marker)!r}, 'w')"
    system = name("os", "system")
    started = call(system, text(touch))
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    meta = dictionary(
        type=text("class"), version=value(6), module_src=text(source), class_name=text("A"), state=started
    )
    return {
        "reduce": started,
        "posix": call(name("posix", "system"), text(touch)),
        "as Python pickles it": pickle.dumps(Evil(touch), protocol=2)[2:-1],
        "protocol 4": pickle.dumps(Evil(touch), protocol=4)[2:-1],
        "by a name on the stack": call(stack_name("builtins", "eval"), text(source)),
        "exec": call(name("builtins", "exec"), text(source)),
        "Python 2's name": call(name("__builtin__", "eval"), text(source)),
        "getattr": call(
            call(name("builtins", "getattr"), name("os", "path"), text("os.system")), text(touch)
        ),
        "an attribute of what is allowed": call(
            stack_name("torch._utils", "_rebuild_tensor_v2.__globals__.__class__"), text(touch)
        ),
        "a class made new": name("subprocess", "Popen") + tuple_of(text("touch")) + b"\x81",
        "inside a tensor": call(
            rebuild, started, value(0), value((1,)), value((1,)), value(False), value({})
        ),
        "inside a reference": tuple_of(text("storage"), started, text("0"), text("cpu"), value(1)) + b"Q",
        "inside a key": b"}" + started + value(1) + b"s",
        "inside an average": dictionary(ema=dictionary(shadow_params=started), model=value({})),
        "old instance": b"(" + text(touch) + b"ios\nsystem\n",
        "old object": b"(" + system + text(touch) + b"o",
        "state of an object": name("collections", "OrderedDict") + b")R" + started + b"b",
        "state of a function": rebuild + dictionary(handler=started) + b"b",
        "state by setattr": rebuild + tuple_of(value(None), dictionary(__code__=started)) + b"b",
        "extension code": b"\x82\xf0" + tuple_of(text(touch)) + b"R",
        "a storage in bytes": call(
            name("torch.storage", "_load_from_bytes"), value(torch_files.legacy(started, {}))
        ),
        "storages in one another": call(
            name("torch.storage", "_load_from_bytes"),
            value(torch_files.legacy(call(name("torch.storage", "_load_from_bytes"), value(b"")), {})),
        ),
        "the source of a persistent class": call(
            name("torch_utils.persistence", "_reconstruct_persistent_obj"), meta
        ),
        "numpy's objects": call(
            name("numpy.core.multiarray", "scalar"), call(name("numpy", "dtype"), text("O8")), started
        ),
        "memo": b"\x80\x02" + started + b"q\x00" + b"h\x00",
    }


KINDS = list(attacks("marker"))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_pickle_runs(tmp_path, kind):
    marker = tmp_path / "marker"
    instructions = attacks(marker)[kind]
    copyreg.add_extension("os", "system", 0xF0)
    try:
        for content in (
            pickled(instructions),
            pickled(dictionary(a=tensor("0", 1, (1,), (1,)), b=instructions)),
            torch_files.zipped(instructions, {}),
            torch_files.zipped(dictionary(a=tensor("0", 1, (1,), (1,)), b=instructions), {"0": bytes(4)}),
            torch_files.legacy(instructions, {}),
            torch_files.legacy(dictionary(a=tensor("0", 1, (1,), (1,)), b=instructions), ONE),
        ):
            refused(tmp_path / "weights", content)
            assert not marker.exists()
    finally:
        copyreg.remove_extension("os", "system", 0xF0)


@pytest.mark.parametrize("kind", ["reduce", "as Python pickles it", "by a name on the stack", "old instance"])
def test_the_attacks_are_real(tmp_path, kind):
    """Python itself runs them, so that the test above has something to refuse."""
    marker = tmp_path / "marker"
    pickle.loads(pickled(attacks(marker)[kind]))
    assert marker.exists()


def test_a_refusal_names_what_the_file_wanted(tmp_path):
    assert "os.system" in refused(tmp_path / "a", pickled(attacks("marker")["reduce"]))
    assert "INST" in refused(tmp_path / "a", pickled(attacks("marker")["old instance"]))


def published(reference_data):
    """Good files of every format."""
    folder = reference_data / "interop"
    names = ("score_sde_zip.pth", "score_sde_legacy.pth", "numbers_zip.pt", "numbers_legacy.pt", "edm.pkl")
    arrays = np.arange(40, dtype=np.float32)
    flax = msgpack.ExtType(1, msgpack.packb(((40,), "float32", arrays.tobytes())))
    header = b'{"a":{"dtype":"F32","shape":[40],"data_offsets":[0,160]}}'
    return {
        **{name: (folder / name).read_bytes() for name in names},
        "flax": msgpack.packb({"step": 3, "params_ema": {"Dense_0": {"kernel": flax, "bias": flax}}}),
        "safetensors": struct.pack("<Q", len(header)) + header + arrays.tobytes(),
    }


FORMATS = ["score_sde_zip.pth", "score_sde_legacy.pth", "numbers_zip.pt", "numbers_legacy.pt", "edm.pkl"]
FORMATS += ["flax", "safetensors"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, reference_data, kind):
    content = published(reference_data)[kind]
    path = tmp_path / "whole"
    path.write_bytes(content)
    read_weights(path)
    for twentieth in range(20):
        assert "part" in refused(tmp_path / "part", content[: len(content) * twentieth // 20])
    assert "part" in refused(tmp_path / "part", content[:-1])


@pytest.mark.parametrize("kind", FORMATS)
def test_changed_bytes_give_numbers_or_one_line(tmp_path, reference_data, kind):
    """Four hundred files with one to three wrong bytes: never another exception, a hang or much memory."""
    content, random = published(reference_data)[kind], np.random.default_rng(0)
    path, outcomes = tmp_path / "changed", []
    for _ in range(400):
        changed = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        try:
            read_weights(path)
            outcomes.append("read")
        except InputError as error:
            outcomes.append(str(error))
    assert not [told for told in outcomes if "\n" in told]
    assert sum(told != "read" for told in outcomes) > 40


@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # of text in random bytes
def test_random_bytes_and_other_files_are_refused(tmp_path):
    random, archive = np.random.default_rng(0), io.BytesIO()
    np.savez(archive, a=np.zeros(3))
    for content in (
        b"",
        b"PK",
        b"<!DOCTYPE html><html>Quota exceeded</html>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\x80",
        b"\x80\x04.",
        b"\x80\x02}.",
        b"\x81",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        pickle.dumps([1, 2]),
        pickle.dumps({"a": 1}),
        archive.getvalue(),
        *(random.bytes(2000) for _ in range(50)),
        *(b"\x80\x04" + random.bytes(500) for _ in range(50)),
    ):
        refused(tmp_path / "file", content)
    with pytest.raises(InputError, match="a file that exists"):
        read_weights(tmp_path)
    with pytest.raises(InputError, match="a file that exists"):
        read_weights(tmp_path / "absent")


def doubled(depth):
    """A list of two that are the same list of two, and so on: 2^depth lists in a few bytes for each."""
    return b"]q\x100" + b"".join(b"](h\x10h\x10eq\x100" for _ in range(depth)) + b"h\x10"


def module(*, modules, made=b"}"):
    """A network of torch without tensors."""
    state = {"_parameters": b"}", "_modules": modules, "_init_kwargs": made}
    pairs = b"".join(value(key) + content for key, content in state.items())
    return call(name("torch.nn.modules.container", "ModuleDict")) + b"}(" + pairs + b"ub"


def twice(depth):
    """A network of the same two networks, and so on."""
    inner = module(modules=b"}")
    for _ in range(depth):
        inner = module(modules=b"}" + value("a") + inner + b"q\x11s" + b"(" + value("b") + b"h\x11u")
    return inner


BOMBS = {
    "lists in lists": pickled(b"]" * 200_000 + b"a" * 199_999),
    "tuples in tuples as a key": pickled(b"}" + value(1) + b"\x85" * 200_000 + value(1) + b"s"),
    "a list that contains itself": pickled(b"}" + value("a") + b"]q\x00h\x00as"),
    "a network that contains itself": pickled(
        b"}" + value("ema") + call(name("torch.nn.modules.container", "ModuleDict")) + b"q\x07}("
        + value("_parameters") + b"}" + value("_modules") + b"}" + value("a") + b"h\x07su" + b"bs"
    ),
    "a network whose options double 40 times": pickled(
        b"}" + value("ema") + module(modules=b"}", made=b"}" + value("a") + doubled(40) + b"s") + b"s"
    ),
    "networks that double 40 times": pickled(b"}" + value("ema") + twice(40) + b"s"),
    "a dictionary whose lists double 40 times": pickled(b"}" + value("a") + doubled(40) + b"s"),
    "a network without tensors": pickled(b"}" + value("ema") + module(modules=b"}") + b"s"),
    "bytes of 2^62": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",
    "text of 2^62": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
    "a number of 2^31 bytes": b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
    "a list of 2^32 in msgpack": b"\x81\xa1a" + b"\xdd\xff\xff\xff\xff" * 200,
    "a dictionary of 2^32 in msgpack": b"\x81\xa1a" + b"\xdf\xff\xff\xff\xff" * 200,
    "an array of 2^60 in msgpack": msgpack.packb(
        {"params_ema": {"a": msgpack.ExtType(1, msgpack.packb(((2**60,), "float32", b"1234")))}}
    ),
    "a header of 2^62 in safetensors": struct.pack("<Q", 2**62) + b'{"a":1}',
    "safetensors beyond the end": struct.pack("<Q", 58)
    + b'{"a":{"dtype":"F32","shape":[99],"data_offsets":[0,396]}} '[:58],
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_small_files_that_claim_much_take_little(tmp_path, kind):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(tmp_path / "bomb", BOMBS[kind])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_torch_is_not_imported(reference_data):
    """Nor anything else that a file names."""
    lines = [
        "import sys",
        "from score_sde.interop import read_weights",
        f"read_weights({str(reference_data / 'interop' / 'edm.pkl')!r})",
        "assert not {'torch', 'torch_utils', 'dnnlib'} & set(sys.modules)",
    ]
    assert subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False).returncode == 0
