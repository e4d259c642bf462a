"""Messages → ``systemInstruction`` and ``contents`` of an upstream request.

System messages at the beginning join the instructions; later ones become marked text of the user, since there is no such role.
Messages of one role in a row are one content, so that all results stand in the content after their calls.
"""

from __future__ import annotations

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import Json, OpaquePart, Part, TextPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.emptied import nothing_left
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import NAME, write_extras
from anykey.protocols.gemini_generate.said_encoding import SaidWriter
from anykey.protocols.gemini_generate.texts_encoding import drop_mark, write_text
from anykey.protocols.gemini_generate.user_encoding import UserWriter

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's first system block begins; a hash in it changes at every request and would spoil prefix caches."""

BEGINNING = "."
"""What the user says where a history begins with the model's calls, which is refused as such (google-gemini/gemini-cli#11814)."""

_SYSTEM_ROLES = ("system", "developer")
_MARKED = "<system-instruction>\n{}\n</system-instruction>"


class ContentsWriter:
    """Writes the messages of one request: ``write`` once."""

    __slots__ = ("_contents", "_log", "_said", "_user")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._log = log
        self._contents: list[Json] = []
        self._said = SaidWriter(dialect, log)
        self._user = UserWriter(dialect, log, self._said.names)

    def write(self, body: Json, request: GenerateRequest) -> None:
        """Both fields into ``body``. FailureError (400) when nothing is left to say, or where a part cannot be shown."""
        leading = _leading(request.messages)
        system = self._instructions(request.instructions, "instructions")
        for index, message in enumerate(request.messages[:leading]):
            path = f"messages[{index}]"
            if message.role == "developer":
                self._log.approximated(f"{path}.role", "sent as the system instruction")
            self._report(message, path)
            write_extras({}, message.extras, path, self._log)
            system += self._instructions(message.parts, f"{path}.parts")
        if system:
            body["systemInstruction"] = {"parts": system}
        for index in range(leading, len(request.messages)):
            self._message(request.messages[index], f"messages[{index}]")
        self._close()
        if not self._contents:
            raise nothing_left(self._log.losses)
        if any("functionCall" in part for part in self._contents[0]["parts"]):
            self._log.emulated(
                f"messages[{leading}]", "calls must follow a turn of the user's, so an empty word comes first"
            )
            self._contents.insert(0, {"role": "user", "parts": [{"text": BEGINNING}]})
        body["contents"] = self._contents

    def _instructions(self, parts: tuple[Part, ...], path: str) -> list[Json]:
        entries: list[Json] = []
        for index, part in enumerate(parts):
            where = f"{path}[{index}]"
            if isinstance(part, OpaquePart) and part.origin == NAME:
                entries.append(part.value)
            elif not isinstance(part, TextPart):
                self._log.dropped(where, "the system instruction is text")
            elif part.text.startswith(BILLING_HEADER):
                self._log.dropped(
                    where, "the billing line of the client changes at each request and is for its own provider"
                )
            elif (entry := write_text(part, where, self._log)) is not None:
                entries.append(entry)
        return entries

    def _message(self, message: Message, path: str) -> None:
        role = "model" if message.role == "assistant" else "user"
        if not self._contents or self._contents[-1]["role"] != role:
            self._close()
        if not self._contents or self._contents[-1]["role"] != role:  # what was closed may have been empty
            self._contents.append(Json(role=role, parts=[]))
        last = self._contents[-1]
        target: list[Json] = last["parts"]
        if role == "model":
            self._said.write(target, message.parts, f"{path}.parts")
        elif message.role in _SYSTEM_ROLES:
            self._later_system(target, message, path)
        else:
            self._user.write(target, message.parts, f"{path}.parts")
        self._report(message, path)
        if message.extras:
            write_extras(last, message.extras, path, self._log)

    def _close(self) -> None:
        """End the last content; one without parts is not sent."""
        if not self._contents:
            return
        last = self._contents[-1]
        if last["role"] == "model":
            self._said.close(last["parts"])
        if not last["parts"]:
            self._contents.pop()
            for key in last.keys() - {"role", "parts"}:
                self._log.dropped(f"contents[{len(self._contents)}].{key}", "a content without parts is not sent")

    def _later_system(self, target: list[Json], message: Message, path: str) -> None:
        self._log.approximated(f"{path}.role", "marked text of the user, since there is no such role in a conversation")
        for entry in self._instructions(message.parts, f"{path}.parts"):
            marked = {"text": _MARKED.format(entry["text"])} if "text" in entry else {}
            target.append({**entry, **marked})

    def _report(self, message: Message, path: str) -> None:
        if message.name is not None:
            self._log.dropped(f"{path}.name", "contents have no name")
        drop_mark(message.cache, path, self._log)


def _leading(messages: tuple[Message, ...]) -> int:
    """How many messages at the beginning are system text."""
    return next((n for n, message in enumerate(messages) if message.role not in _SYSTEM_ROLES), len(messages))
