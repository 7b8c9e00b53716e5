"""The addresses of the page and of its JSON; what they mean is in the other files of this room."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from utils.console.log import LOG
from utils.page.backend import MOST_FILES, Backend
from utils.page.places import LONGEST
from utils.page.plain import as_json, in_full, in_list, plain_answer, plain_lesson, read_review
from utils.page.refusal import Refused
from utils.report.style import SCRIPT
from utils.serving.requests import (
    LONGEST_QUESTION,
    limit_of,
    number_of,
    prompts_of,
    questions_of,
    read_json,
    text_of,
)
from utils.serving.uploads import read_form
from utils.words.errors import DataError, UserError
from utils.words.regular_file import UnreadableFile, read_regular

PAGE = Path(__file__).parent / "static"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
MOST_PAGE = 4 << 20  # bytes of one of its files
MOST_SHOWN = 64 << 20  # bytes of a picture
LATEST = 10**15  # above the number of any picture


def make_app(backend: Backend, page: Path = PAGE) -> Starlette:
    """The page in the folder `page` and its JSON, for whoever passes the guard."""
    routes = [*_Pages(backend, page).routes(), *_Pictures(backend).routes(), *_Reviewing(backend).routes()]
    handlers: dict[Any, Any] = {Refused: _refused, UserError: _mistake, HTTPException: _http, Exception: _fault}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # a redirect would name the host that the request named
    return app


class _Pages:
    """The page, its files, and reports of runs."""

    def __init__(self, backend: Backend, page: Path) -> None:
        self.backend = backend
        # read once: nothing that a request names is ever opened here
        self.files = {path.name: read_regular(path, MOST_PAGE) for path in _files_of(page)}
        digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
        rules = ("default-src 'none'", "img-src data:", "style-src 'unsafe-inline'", f"script-src 'sha256-{digest}'")
        # in a sandbox a report is no page of ours: it cannot ask for anything, whoever wrote it
        ends = ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "sandbox allow-scripts")
        self.policy = "; ".join((*rules, *ends))

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route("/", self.index),
            Route("/static/{name}", self.static),
            Route("/api/status", self.status),
            Route("/api/history", self.history),
            Route("/runs/{kind}/{name}/report.html", self.report),
        ]

    async def index(self, request: Request) -> Response:
        """The page itself."""
        return self._file("index.html")

    async def static(self, request: Request) -> Response:
        """One of its files."""
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        if name not in self.files:
            raise Refused(404, "there is no such file of the page")
        return Response(self.files[name], headers={"content-type": KINDS[Path(name).suffix]})

    async def status(self, request: Request) -> Response:
        """What is asked for all the time: nothing here waits."""
        return _json(self.backend.status())

    def history(self, request: Request) -> Response:
        """Runs, and the hours of this session."""
        runs = self.backend.history.runs(limit_of(request))
        return _json({"runs": runs, "hours": self.backend.tally.hours()})

    def report(self, request: Request) -> Response:
        """The report of a run, which may do what it needs and nothing else."""
        content = self.backend.history.page(request.path_params["kind"], request.path_params["name"])
        return Response(content, headers={"content-type": KINDS[".html"], "content-security-policy": self.policy})


class _Pictures:
    """Pictures that come, that were looked at, and what is asked about them."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.gallery = backend, backend.gallery

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route("/api/pictures", self.rows),
            Route("/api/pictures", self.upload, methods=["POST"]),
            Route("/api/folder", self.folder),
            Route("/api/folder/look", self.look, methods=["POST"]),
            Route("/api/pictures/{number}", self.picture),
            Route("/api/pictures/{number}/image", self.image),
            Route("/api/pictures/{number}/heat", self.heat),
            Route("/api/pictures/{number}/ask", self.ask, methods=["POST"]),
        ]

    async def rows(self, request: Request) -> Response:
        """The newest pictures."""
        before = number_of(request.query_params.get("before", str(LATEST - 1)), "before", 400)
        return _json({"pictures": [in_list(one) for one in self.gallery.before(before, limit_of(request))]})

    async def upload(self, request: Request) -> Response:
        """Pictures from a browser."""
        self.backend.check_room()
        form = await read_form(request, self.backend.store)
        try:
            self.backend.check_room(form.prompts)
            told = self.backend.take(form.files, form.prompts, form.questions)
        except Refused:
            for _, path in form.files:
                self.backend.store.remove(path)
            raise
        return _json(told, 202)

    def folder(self, request: Request) -> Response:
        """What lies in the folder."""
        return _json(self.backend.look_into(request.query_params.get("path", "")))

    async def look(self, request: Request) -> Response:
        """Pictures of the folder."""
        body = await read_json(request, ("paths", "prompts", "questions"))
        paths = body.get("paths")
        texts = isinstance(paths, list) and all(isinstance(one, str) and len(one) <= LONGEST for one in paths)
        if not isinstance(paths, list) or not texts or not 0 < len(paths) <= MOST_FILES:
            raise Refused(400, f"paths: must be a list of 1 to {MOST_FILES} texts")
        prompts, questions = prompts_of(body.get("prompts", "")), questions_of(body.get("questions", []))
        self.backend.check_room(prompts)
        told = await run_in_threadpool(self.backend.take_from_folder, paths, prompts, questions)
        return _json(told, 202)

    async def picture(self, request: Request) -> Response:
        """Everything about a picture."""
        return _json(in_full(self.gallery.get(_number(request))))

    def image(self, request: Request) -> Response:
        """A picture as a JPEG."""
        entry = self.gallery.get(_number(request))
        try:
            content = b"" if entry.shown is None else read_regular(entry.shown, MOST_SHOWN)
        except UnreadableFile as error:
            raise Refused(404, "the picture is not kept any more") from error
        if not content:
            raise Refused(404, entry.reason or "the picture was not looked at yet; wait")
        return Response(content, headers={"content-type": "image/jpeg"})

    def heat(self, request: Request) -> Response:
        """Where the network looked for one box."""
        entry = self.gallery.get(_number(request))
        box = number_of(request.query_params.get("box", ""), "box", 400)
        return Response(self.backend.judge.heat(entry, box), headers={"content-type": "image/png"})

    async def ask(self, request: Request) -> Response:
        """The answer to a question."""
        body = await read_json(request, ("question",))
        question = text_of(body, "question", LONGEST_QUESTION).strip()
        if not question:
            raise Refused(400, "question: is blank; ask something")
        entry = self.gallery.get(_number(request))
        return _json(plain_answer(await run_in_threadpool(self.backend.judge.ask, entry, question)))


class _Reviewing:
    """What people say about pictures."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.gallery = backend, backend.gallery

    def routes(self) -> list[Route]:
        """What is served here."""
        return [
            Route("/api/review", self.teaching),
            Route("/api/review/export", self.export, methods=["POST"]),
            Route("/api/pictures/{number}/review", self.review, methods=["PUT"]),
            Route("/api/pictures/{number}/review", self.take_back, methods=["DELETE"]),
        ]

    async def teaching(self, request: Request) -> Response:
        """Which picture to review next."""
        rows = [plain_lesson(one) for one in self.gallery.teaching(limit_of(request))]
        return _json({"pictures": rows, "reviewed": len(self.gallery.reviewed())})

    async def review(self, request: Request) -> Response:
        """Note what somebody said."""
        entry = self.gallery.get(_number(request))
        body = await read_json(request, ("state", "boxes"))
        eye = self.backend.desk.detector
        names = entry.found.names if entry.found is not None else ()
        review = read_review(body, entry, (*names, *eye.names[: eye.own]))
        return _json({"reviewed": self.gallery.review(entry.number, review)})

    async def take_back(self, request: Request) -> Response:
        """Forget what somebody said."""
        return _json({"reviewed": self.gallery.review(_number(request), None)})

    async def export(self, request: Request) -> Response:
        """Write a data set."""
        await read_json(request, ())
        return _json(await run_in_threadpool(self.backend.reviews.write))


def _number(request: Request) -> int:
    return number_of(request.path_params["number"], "the number of a picture")


def _json(value: Any, status: int = 200) -> Response:
    return Response(as_json(value), status, {"content-type": "application/json"})


def _error(status: int, line: str) -> Response:
    return _json({"error": line}, status)


async def _refused(_: Request, error: Refused) -> Response:
    return _error(error.status, error.line)


async def _mistake(_: Request, error: UserError) -> Response:
    """A picture that cannot be read is the sender's, all else says that something here gave out."""
    return _error(400 if isinstance(error, DataError) or error.exit_code == 2 else 503, str(error))


async def _http(_: Request, error: HTTPException) -> Response:
    known = {404: "there is nothing at this address; open /", 405: "this address takes other methods; see the README"}
    return _error(error.status_code, known.get(error.status_code, error.detail))


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours: its traceback is in the log, and nothing of it in the answer."""
    LOG.error("%s %s: a fault of this program", request.method, request.url.path, exc_info=error)
    return _error(500, "a fault of this program, not yours; its log says more")


def _files_of(page: Path) -> list[Path]:
    """The files of the page: those of its folder, by their names."""
    return sorted(path for path in page.glob("*") if path.suffix in KINDS and path.is_file())
