"""Reading pickles as data: a machine for pickle's instructions that calls nothing the file names."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Handler = Callable[..., Any]
Handlers = Mapping[str, Handler]  # by "module.name": what takes the place of calling it

# Keys are these and nothing else: hashing them neither runs code nor descends.
_HASHABLE = (str, int, float, bool, bytes, type(None))


class Name(NamedTuple):
    """A class or function that a pickle names, and what stands in for it."""

    name: str
    handler: Handler


class Record:
    """An object as data: its class's name, what it was made from, and its state. It does nothing."""

    def __init__(self, name: str, args: tuple[Any, ...] = (), state: Any = None) -> None:
        self.name, self.args, self.state = name, args, state

    def __repr__(self) -> str:
        return f"Record({self.name})"


def record(name: str) -> Handler:
    """A handler that keeps the arguments: objects of this class become ``Record``."""
    return lambda *args: Record(name, args)


def refuse_reference(reference: Any) -> Any:
    """There are no objects outside this pickle."""
    raise ValueError("it refers to objects outside the file")


def read_pickle(file: Any, handlers: Handlers, persistent: Callable[[Any], Any] = refuse_reference) -> Any:
    """The object in a pickle: None, numbers, text, bytes, lists, tuples, dicts, sets and what handlers give.

    Nothing is imported and nothing that the file names is called: a name must be one of ``handlers``, whose
    value is called with the arguments in its place. Reads up to the end of the pickle and no further.

    Args:
        file: its content, or something with ``read``, ``readline`` and ``tell`` (a memory map).
        handlers: the names that may occur.
        persistent: the object behind a reference to one outside the pickle.

    Raises:
        ValueError: another name, an instruction that data does not need, or a damaged pickle.
    """
    machine = _Machine(handlers, persistent)
    try:
        for instruction, argument, position in _instructions(file):
            if instruction.name == "STOP":
                return machine.stack.pop()
            try:
                _STEPS[instruction.name](machine, argument)
            except KeyError as error:
                raise ValueError(f"instruction {instruction.name} at byte {position} ({error})") from error
    except (IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"damaged pickle ({type(error).__name__}: {error})") from error
    raise ValueError("the pickle has no end")


def _instructions(file: Any) -> Iterator[tuple[Any, Any, int | None]]:
    """As ``pickletools.genops``, which says what is wrong but not what that means."""
    try:
        yield from pickletools.genops(file)
    except ValueError as error:
        raise ValueError(f"damaged or truncated pickle: {error}") from error


class _Machine:
    """A stack, the stacks below its marks, and the memo."""

    def __init__(self, handlers: Handlers, persistent: Callable[[Any], Any]) -> None:
        self.handlers, self.persistent = handlers, persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def named(self, name: str) -> None:
        if name not in self.handlers:
            raise ValueError(f"it names {name[:80]}, which is not data")
        self.stack.append(Name(name, self.handlers[name]))

    def call(self, arguments: Any) -> None:
        target = self.stack.pop()
        if type(target) is not Name or type(arguments) is not tuple:
            raise ValueError("it calls what is not a name")
        self.stack.append(target.handler(*arguments))


def _add_items(target: Any, items: list[Any]) -> None:
    if type(target) is not dict or len(items) % 2:
        raise ValueError("items are set on what is not a dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[_key(key)] = value


def _key(key: Any) -> Any:
    plain = key if type(key) is tuple else (key,)
    if not all(type(part) in _HASHABLE for part in plain):
        raise ValueError(f"a key of type {type(key).__name__}")
    return key


def _dict(items: list[Any]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    _add_items(made, items)
    return made


def _extend(target: Any, items: list[Any]) -> None:
    if type(target) is not list:
        raise ValueError("items are appended to what is not a list")
    target.extend(items)


def _update(target: Any, items: list[Any]) -> None:
    if type(target) is not set:
        raise ValueError("items are added to what is not a set")
    target.update(_key(item) for item in items)


def _build(machine: _Machine, _: Any) -> None:
    """Give the object on the stack its state: records keep it, dictionaries have attributes nobody needs."""
    state = machine.stack.pop()
    target = machine.stack[-1]
    if type(target) is Record:
        target.state = state
    elif type(target) is not dict:
        raise ValueError(f"it gives a state to a {type(target).__name__}")


def _push(machine: _Machine, argument: Any) -> None:
    machine.stack.append(argument)


def _reduce(machine: _Machine, _: Any) -> None:
    machine.call(machine.stack.pop())


def _name(machine: _Machine, argument: str) -> None:
    machine.named(argument.replace(" ", ".", 1))


def _stack_name(machine: _Machine, _: Any) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise ValueError("a name that is not text")
    machine.named(f"{module}.{name}")


def _put(machine: _Machine, argument: int) -> None:
    machine.memo[argument] = machine.stack[-1]


def _pop(machine: _Machine, _: Any) -> None:
    machine.stack.pop()


def _pop_mark(machine: _Machine, _: Any) -> None:
    machine.since_mark()


def _pushed(make: Callable[[_Machine], Any]) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, _: Any) -> None:
        made = make(machine)  # first: it may exchange the stack
        machine.stack.append(made)

    return step


def _onto(
    add: Callable[[Any, list[Any]], None], take: Callable[[_Machine], list[Any]]
) -> Callable[[_Machine, Any], None]:
    """A step that takes items off the stack and adds them to the container below them."""

    def step(machine: _Machine, _: Any) -> None:
        items = take(machine)
        add(machine.stack[-1], items)

    return step


def _last(machine: _Machine, count: int) -> tuple[Any, ...]:
    if len(machine.stack) < count:
        raise ValueError("a tuple of more items than there are")
    items = tuple(machine.stack[-count:])
    del machine.stack[-count:]
    return items


_ARGUMENTS = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE "
    "SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8"
)

_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_ARGUMENTS.split(), _push),
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": _pushed(lambda machine: None),
    "NEWTRUE": _pushed(lambda machine: True),
    "NEWFALSE": _pushed(lambda machine: False),
    "EMPTY_LIST": _pushed(lambda machine: []),
    "EMPTY_DICT": _pushed(lambda machine: {}),
    "EMPTY_TUPLE": _pushed(lambda machine: ()),
    "EMPTY_SET": _pushed(lambda machine: set()),
    "LIST": _pushed(lambda machine: machine.since_mark()),
    "TUPLE": _pushed(lambda machine: tuple(machine.since_mark())),
    "DICT": _pushed(lambda machine: _dict(machine.since_mark())),
    "FROZENSET": _pushed(lambda machine: frozenset(map(_key, machine.since_mark()))),
    "TUPLE1": _pushed(lambda machine: _last(machine, 1)),
    "TUPLE2": _pushed(lambda machine: _last(machine, 2)),
    "TUPLE3": _pushed(lambda machine: _last(machine, 3)),
    "DUP": _pushed(lambda machine: machine.stack[-1]),
    "MARK": lambda machine, _: machine.mark(),
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "APPEND": _onto(_extend, lambda machine: [machine.stack.pop()]),
    "APPENDS": _onto(_extend, _Machine.since_mark),
    "SETITEM": _onto(_add_items, lambda machine: list(_last(machine, 2))),
    "SETITEMS": _onto(_add_items, _Machine.since_mark),
    "ADDITEMS": _onto(_update, _Machine.since_mark),
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": lambda machine, _: _put(machine, len(machine.memo)),
    "GET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "GLOBAL": _name,
    "STACK_GLOBAL": _stack_name,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "BUILD": _build,
    "BINPERSID": lambda machine, _: machine.stack.append(machine.persistent(machine.stack.pop())),
}
