"""Support tickets that are made up, for a model of several inputs and outputs."""

from typing import Any

import numpy as np


def made_up_tickets(
    num_tickets: int, seed: int = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make up support tickets by a rule. No customer wrote them.

    The topic in title and text decides the department. A ticket is urgent if its text
    says "today", or if one of its tags is "outage".

    Args:
        num_tickets: Integer of at least 0.
        seed: Integer of at least 0. The same seed makes the same tickets.

    Returns:
        A tuple `(tickets, answers)` of dicts. `tickets` holds `title`, `text` and
        `tags`, strings of shape `(num_tickets,)`; a ticket has up to three tags, with
        spaces between them. `answers` holds `priority`, float32 of shape
        `(num_tickets, 1)`, 1 for urgent, and `department`, int64 of shape
        `(num_tickets,)`, 0 for billing, 1 for support and 2 for sales.

    Example:
        >>> tickets, answers = made_up_tickets(2)
        >>> tickets["tags"].shape, answers["priority"].shape
        ((2,), (2, 1))
    """
    topics = np.array(
        [
            ["invoice", "refund", "payment", "card"],  # billing
            ["crash", "error", "login", "screen"],  # support
            ["price", "discount", "offer", "upgrade"],  # sales
        ]
    )
    generator = np.random.default_rng(seed)
    department = generator.integers(3, size=num_tickets)
    title, text = topics[department, generator.integers(4, size=(2, num_tickets))]
    today = generator.integers(2, size=num_tickets) == 1
    tagged = generator.integers(2, size=(num_tickets, 3))
    names = np.array(["outage", "web", "app"])
    urgent = today | (tagged[:, 0] == 1)
    tickets = {
        "title": np.char.add("question about the ", title),
        "text": np.char.add(np.where(today, "I need today the ", "my "), text),
        "tags": np.array([" ".join(names[row == 1]) for row in tagged], dtype=str),
    }
    priority = urgent[:, np.newaxis].astype("float32")
    return tickets, {"priority": priority, "department": department}
