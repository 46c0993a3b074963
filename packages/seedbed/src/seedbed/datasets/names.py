"""What the name of a column hints at: it decides only where the values leave a choice."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")

RESERVED = ("_", "!")
"""How the name of a column must not begin: as the pipeline's own, and what a list leaves out."""
KEYS = {"id", "ids", "key", "uuid", "guid", "pk", "oid", "hash", "rowid"}
NUMBERED = {"nr", "no", "number", "num", "index", "idx", "row", "obs", "n", "nummer", "serial"}
CODES = {
    *("code", "zip", "zipcode", "plz", "postal", "postcode", "fips", "icd", "sku", "ean", "isbn"),
    *("type", "class", "category", "cat", "kind", "cluster", "region", "district", "store", "shop"),
    *("department", "dept", "branch", "warehouse", "station", "sector", "channel", "segment"),
}
TIMES = {
    *("time", "timestamp", "ts", "datetime", "date", "created", "epoch", "unix", "at", "moment"),
    *("datum", "zeit", "fecha", "heure", "when", "seen"),
}
OF_THE_ROW = {
    *("timestamp", "ts", "datetime", "time", "date", "created", "recorded", "logged", "event"),
    *("order", "ordered", "purchase", "sale", "transaction", "visit", "measured", "observed"),
    *("datum", "zeit", "fecha", "invoice", "booking", "submitted", "received", "admission"),
    *("day", "week", "month", "hour", "period", "quarter", "year"),
}
NOT_OF_THE_ROW = {
    *("birth", "birthday", "birthdate", "born", "dob", "geburt", "geburtsdatum", "naissance"),
    *("hired", "hire", "joined", "registered", "registration", "signup", "opened", "founded"),
    *("manufactured", "built", "issued", "previous", "prev", "last", "first", "earliest", "since"),
    *("expiry", "expires", "expiration", "due", "deadline", "end", "closed", "close", "resolved"),
    *("delivered", "returned", "cancelled", "canceled", "died", "death", "updated", "finished"),
    *("modified", "valid", "until", "start"),
}
"""Of what was before the row, or is after it: a birth, an expiry."""
ENTITIES = {
    *("customer", "client", "patient", "user", "person", "member", "subject", "household"),
    *("session", "account", "employee", "student", "device", "machine", "visitor", "participant"),
    *("family", "company", "vehicle", "owner", "player", "author", "seller", "kunde", "sensor"),
    *("firm", "child", "animal", "tree", "plot", "subj", "respondent", "driver", "doctor"),
}


def words_of(name: str) -> list[str]:
    """Return the words of a name in small letters.

    Examples
    --------
    >>> words_of("customerID"), words_of("order_date2")
    (['customer', 'id'], ['order', 'date'])
    """
    return [word.lower() for word in _WORDS.findall(str(name))]


def hints_at(name: str, words: set[str]) -> bool:
    """Whether a word of the name is among these."""
    return not words.isdisjoint(words_of(name))


def ends_with(name: str, words: set[str]) -> bool:
    """Whether the last word of the name is among these."""
    return words_of(name)[-1:] != [] and words_of(name)[-1] in words
