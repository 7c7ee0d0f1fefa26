"""Methods of Client carried over to AsyncClient by descriptors: name, parameters, types and docstring are the method's own."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from mossaic.client.aio.results import AsyncPaged, Opening

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from mossaic.client.aio.client import AsyncClient
    from mossaic.client.aio.work import Work
    from mossaic.client.client import Client
    from mossaic.client.reading import GetResult

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
H = TypeVar("H")
A = TypeVar("A")

Given = tuple[Any, ...]  # Any: the arguments of any method; the descriptors are typed by their overloads
Named = dict[str, Any]  # Any: as above


class _Carried:
    """What all of them do. On the class it is the descriptor itself, which has the method's name, docstring and signature."""

    def __init__(self, method: Callable[..., Any]) -> None:  # Any: as above
        self._method = method
        update_wrapper(self, method)

    def __call__(self, client: AsyncClient, *given: Any, **named: Any) -> Any:  # Any: as above
        return self._bound(client)(*given, **named)

    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        if client is None:
            return self
        return update_wrapper(self._bound(client), self._method.__get__(client.blocking))

    def _bound(self, client: AsyncClient) -> Callable[..., Any]:  # Any: as above
        def call(*given: Any, **named: Any) -> Any:  # Any: as above
            return self._begin(client, given, named)

        return call

    def _begin(self, client: AsyncClient, given: Given, named: Named) -> Any:  # Any: as above
        """What a call gives that does not have to be awaited itself."""
        return self._step(client, given, named)[1]()

    def _step(
        self, client: AsyncClient, given: Given, named: Named
    ) -> tuple[Work, Callable[[], Any]]:  # Any: as above
        """The call itself, and the work it is to be done in. Arguments are taken over at once, in the caller's task."""
        work = client.work()
        positional = [work.taken_over(value) for value in given]
        keywords = {name: work.taken_over(value, name) for name, value in named.items()}
        bound = work.bound(client.blocking)
        return work, lambda: self._method(bound, *positional, **keywords)


class Awaited(_Carried, Generic[P, R]):
    """A call that is awaited."""

    def __init__(self, method: Callable[Concatenate[Client, P], R]) -> None:
        super().__init__(method)

    @overload
    def __get__(self, client: None, owner: type[AsyncClient]) -> Self: ...
    @overload
    def __get__(
        self, client: AsyncClient, owner: type[AsyncClient]
    ) -> Callable[P, Coroutine[Any, Any, R]]: ...  # Any: of every coroutine
    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        return super().__get__(client, owner)

    def _bound(self, client: AsyncClient) -> Callable[..., Any]:  # Any: as above
        async def call(*given: Any, **named: Any) -> Any:  # Any: as above
            work, step = self._step(client, given, named)
            return await work.run(step)

        return call


class Iterated(_Carried, Generic[P, T]):
    """A listing, gone through with `async for`. The method itself must not ask anything of the service."""

    def __init__(self, method: Callable[Concatenate[Client, P], Iterator[T]]) -> None:
        super().__init__(method)

    @overload
    def __get__(self, client: None, owner: type[AsyncClient]) -> Self: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[AsyncClient]) -> Callable[P, AsyncPaged[T]]: ...
    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        return super().__get__(client, owner)

    def _begin(self, client: AsyncClient, given: Given, named: Named) -> AsyncPaged[Any]:  # Any: as above
        work, step = self._step(client, given, named)
        return AsyncPaged(work, step())


class Opened(_Carried, Generic[P]):
    """A call that opens an object: `async with client.get(…) as opened`, or `opened = await client.get(…)`."""

    def __init__(self, method: Callable[Concatenate[Client, P], GetResult]) -> None:
        super().__init__(method)

    @overload
    def __get__(self, client: None, owner: type[AsyncClient]) -> Self: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[AsyncClient]) -> Callable[P, Opening]: ...
    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        return super().__get__(client, owner)

    def _begin(self, client: AsyncClient, given: Given, named: Named) -> Opening:
        return Opening(*self._step(client, given, named))


class Started(_Carried, Generic[P, A]):
    """A call that starts a transfer and returns at once: `upload = client.start_upload(…)`, then `await upload.result()`.

    `form` makes of the blocking handle what asyncio wants.
    """

    def __init__(self, method: Callable[Concatenate[Client, P], H], form: Callable[[Work, H], A]) -> None:
        super().__init__(method)
        self._form: Callable[[Work, Any], A] = form  # Any: H, which nobody else has to know

    @overload
    def __get__(self, client: None, owner: type[AsyncClient]) -> Self: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[AsyncClient]) -> Callable[P, A]: ...
    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        return super().__get__(client, owner)

    def _begin(self, client: AsyncClient, given: Given, named: Named) -> A:
        work, step = self._step(client, given, named)
        return self._form(work, step())


class Derived(_Carried, Generic[P]):
    """A method that gives another client; it does not wait."""

    def __init__(self, method: Callable[Concatenate[Client, P], Client]) -> None:
        super().__init__(method)

    @overload
    def __get__(self, client: None, owner: type[AsyncClient]) -> Self: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[AsyncClient]) -> Callable[P, AsyncClient]: ...
    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Any:  # Any: as above
        return super().__get__(client, owner)

    def _begin(self, client: AsyncClient, given: Given, named: Named) -> AsyncClient:
        return client.beside(self._method(client.blocking, *given, **named))


class Made(Generic[P]):
    """A class method that makes a client."""

    def __init__(self, method: Callable[P, Client]) -> None:
        self._method = method

    def __get__(self, client: AsyncClient | None, owner: type[AsyncClient]) -> Callable[P, AsyncClient]:
        def make(*given: P.args, **named: P.kwargs) -> AsyncClient:
            return owner.over(self._method(*given, **named))

        return update_wrapper(make, self._method)


def made_like(
    original: Callable[Concatenate[Client, P], None],
) -> Callable[[Callable[..., None]], Callable[Concatenate[AsyncClient, P], None]]:
    """For a constructor with the parameters of Client's."""

    def typed(own: Callable[..., None]) -> Callable[Concatenate[AsyncClient, P], None]:
        return update_wrapper(own, original)

    return typed
