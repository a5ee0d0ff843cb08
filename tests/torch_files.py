"""Files in PyTorch's formats written by hand, one instruction of a pickle after another, without PyTorch."""

import io
import pickle
import zipfile

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {
    "protocol_version": PROTOCOL,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


def value(thing):
    """Instructions that push a plain value."""
    return pickle.dumps(thing, protocol=2)[2:-1]


def name(module, attribute):
    """Instructions that push a class or function."""
    return f"c{module}\n{attribute}\n".encode()


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def call(function, *arguments):
    return function + tuple_of(*arguments) + b"R"


def dictionary(**items):
    return b"}(" + b"".join(value(key) + item for key, item in items.items()) + b"u"


def storage(key, count, kind="FloatStorage"):
    """A reference to numbers outside the pickle."""
    return tuple_of(value("storage"), name("torch", kind), value(key), value("cpu"), value(count)) + b"Q"


def tensor(key, count, shape, strides, offset=0, kind="FloatStorage"):
    hooks = call(name("collections", "OrderedDict"))
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return call(
        rebuild, storage(key, count, kind), value(offset), value(shape), value(strides), value(False), hooks
    )


def pickled(instructions):
    return b"\x80\x02" + instructions + b"."


def zipped(instructions, storages, compression=zipfile.ZIP_STORED):
    """A file of today's ``torch.save``: ``storages`` are bytes by key."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(instructions))
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def legacy(instructions, storages):
    """A file of ``torch.save`` before 1.6: ``storages`` are arrays by key."""
    heads = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, SYSTEM))
    tail = pickle.dumps(list(storages), protocol=2)
    for array in storages.values():
        tail += len(array).to_bytes(8, "little") + array.tobytes()
    return heads + pickled(instructions) + tail
