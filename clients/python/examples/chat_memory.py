"""A chat that remembers, also when the program is started again.

python chat_memory.py ADDRESS
"""

from __future__ import annotations

import sys

from contextd import Client, NewContext


def say(client: Client, user: str, text: str) -> str:
    """Adds what the user said to the chat's memory, and answers from it."""
    chat = client.context(f"chat-{user}", create_if_missing=NewContext("chat"))
    turn = int(chat.edit("turns", lambda old: str(int(old or 0) + 1)).version)
    chat.append("log", f"{user}: {text}\n")
    spoken = (chat.get_text("log") or "").count("\n")
    return f"You have said {spoken} things to me; this is version {turn} of what I know."


def main() -> None:
    """Says two things, each as a program of its own would."""
    for text in ("Hello!", "Do you remember me?"):
        with Client(sys.argv[1], namespace="examples") as client:
            print(say(client, "mia", text))


if __name__ == "__main__":
    main()
