"""Crash points: places with a name where a test can have this very process killed, to see what a crash just there leaves behind.

Two things must come together. The process runs under `python -X certspool-crash`: an interpreter's own switch, which no settings file,
environment variable or unit of ours can carry, and which neither `certspool serve` nor the backend's first line has. And CERTSPOOL_CRASH
names a folder whose file `point` holds `name` or `name:nth`. Each time the place is passed a file `hit.N` is made there, whichever process
passes it; the nth kills, and only the nth. The backend `once` imports nothing of ours and has the same hook, with names from this list.
"""

import os
import signal
import sys
from collections.abc import Mapping
from itertools import count

SWITCH = "certspool-crash"
VARIABLE = "CERTSPOOL_CRASH"

POINTS: Mapping[str, str] = {
    # Home: request → job
    "home.before-document-rename": "A document is written aside and synced; its name is not there yet.",
    "home.after-documents-kept": "The request's documents are on disk; no job knows them.",
    "home.before-accept-commit": "The job is written, not committed.",
    "home.after-accept-commit": "The job is durable; the client was not answered.",
    # Home: job → letter
    "home.before-prepare": "The worker has taken an accepted job and done nothing.",
    "home.after-seal": "Ticket signed and document sealed, both in memory only.",
    "home.after-ticket-kept": "The ticket is on disk; the sealed document is not.",
    "home.after-sealed-kept": "Ticket and sealed document are on disk; the job does not know.",
    "home.before-sealed-commit": "Order opened and job sealed, not committed.",
    "home.after-sealed-commit": "The job is sealed; nobody has wrapped its order.",
    "home.after-wrap": "The order is wrapped, in memory only.",
    "home.before-letter-commit": "The letter is in the outbox, not committed.",
    "home.after-letter-commit": "The letter is durable; nothing was sent.",
    # Home: letter → broker
    "home.before-publish": "The courier holds letters and has published none of them.",
    "home.after-confirm": "The broker confirmed a letter; the home has not noted it, and will send it again.",
    "home.before-sent-commit": "The letter is dropped and the job sent, not committed.",
    "home.after-sent-commit": "The job is sent.",
    # Home: reports
    "home.before-report": "A report is believed and not written down; the broker has no ack.",
    "home.before-report-commit": "The report and what it makes of its job are written, not committed.",
    "home.after-report-commit": "The report is durable; the broker has no ack, and delivers it again.",
    "home.before-parked-commit": "A report that came early is parked and the gap noted, not committed.",
    "home.before-replay-asked-commit": "The hall is asked for the reports that are missing, not committed.",
    "home.after-replay-asked-commit": "The hall is to be asked for them; the letter lies in the outbox.",
    "home.before-gap-closed-commit": "The chain has passed the gap, not committed.",
    "home.before-answer-commit": "What a hall answered has ended what waited for it, not committed.",
    "home.before-approval-commit": "That a hall waits for a second person, or no longer does, is noted, not committed.",
    "home.before-dead-letter-commit": "A dead letter is kept and alarmed, not committed.",
    "home.after-dead-letter-commit": "The dead letter is durable; the broker has no ack, and delivers it again.",
    # Home: what people and time ask of a hall
    "home.before-control-commit": "A control is signed and kept with its letter, not committed.",
    "home.after-act-commit": "What was asked is durable; whoever asked was not answered.",
    "home.before-decision-commit": "A second person's word upon a hall's act is kept with its letter, not committed.",
    "home.after-decision-commit": "The second person's word is durable; it was not answered.",
    "home.before-lease-commit": "An order's renewal is asked for, not committed.",
    "home.after-lease-commit": "The renewal is durable; the letter lies in the outbox.",
    # Home: when a hall cannot do it
    "home.before-another-order-commit": "The next order is sealed and kept, not committed.",
    "home.after-another-order-commit": "The next order is open; whoever opened it was not answered.",
    "home.before-write-off-commit": "A hall is written off, its keys revoked, its blanks suspect, its orders ended: not committed.",
    "home.after-write-off-commit": "The hall is written off; whoever agreed was not answered.",
    "home.after-restore-part": "A part of the answer to a hall in doubt is in the outbox; the question counts as open.",
    "home.before-order-again-commit": "An order that the hall has lost is wrapped anew and in the outbox, not committed.",
    "home.before-restored-commit": "The whole answer is in the outbox; the question counts as open, and is answered again.",
    # Home: callbacks
    "callback.before-post": "A callback is due; nothing was sent.",
    "callback.after-post": "The registration system took the callback; the home has not noted it, and will tell it again.",
    "callback.before-delivered-commit": "The delivery is noted, not committed.",
    "callback.after-delivered-commit": "The delivery is durable; the next event of the job has not been looked for.",
    "callback.before-parked": "A callback was refused for three days; it is not parked.",
    "callback.after-parked-commit": "It is parked, and holds back the job's later ones.",
    "callback.before-replayed-commit": "Whoever replays what is parked dies before it is committed.",
    # Home: anything else that it writes
    "home.before-any-commit": "Some transaction of the home is written, not committed.",
    "home.after-any-commit": "Some transaction of the home is durable; nobody has been woken.",
    # Hall: order → ledger
    "agent.before-order": "An order was delivered; nothing is durable.",
    "agent.after-verify": "The order is believed; nothing is durable.",
    "agent.before-document-rename": "The wrapped order is written aside and synced; its name is not there yet.",
    "agent.after-document-kept": "The wrapped order is on disk; the ledger does not know it.",
    "agent.before-received-commit": "The order is in the ledger and `received` in the outbox, not committed.",
    "agent.after-received-commit": "The order is durable; the broker has no ack, and delivers it again.",
    # Hall: controls
    "agent.before-control": "A control was delivered and believed; nothing is durable.",
    "agent.before-control-commit": "A control is kept, acted upon and answered, not committed.",
    "agent.after-control-commit": "It is durable; the broker has no ack, and delivers it again.",
    "agent.before-recall": "`pending` is durable; the try under way was not asked to stop.",
    "agent.before-ended-commit": "An order is ended as home asked, its blanks void, home told: not committed.",
    "agent.before-replay-commit": "Reports that home misses are in the outbox again, not committed.",
    "agent.after-replay-commit": "They are in the outbox again; the broker has no ack, and delivers the question again.",
    "agent.before-expired-commit": "An order whose time to begin has passed is ended, not committed.",
    # Hall: a journal in doubt
    "agent.before-epoch-commit": "A new epoch is begun, not committed.",
    "agent.after-epoch-commit": "The new epoch is durable; home was not asked.",
    "agent.before-asked-commit": "Home is asked for its orders, not committed.",
    "agent.before-restored-commit": "What home knows is kept and applied, not committed.",
    "agent.after-restored-commit": "It is durable; the broker has no ack, and delivers it again.",
    "agent.before-left-commit": "Two persons have led the hall out, not committed.",
    "agent.after-left-commit": "The hall prints again; nobody was answered.",
    # Hall: acts of people
    "agent.before-act-commit": "What a person did is written, not committed.",
    "agent.after-act-commit": "What a person did is durable; the person was not answered.",
    "agent.before-approval-commit": "A second person is asked, not committed.",
    "agent.before-answered-commit": "A second person has answered and it is done, not committed.",
    "agent.after-answered-commit": "It is done; nobody was told.",
    # Hall: the pass protocol
    "agent.before-intent-commit": "The try is begun, not committed.",
    "agent.after-intent-commit": "The intent is durable; CUPS knows nothing.",
    "agent.after-create-job": "CUPS has a held job; the ledger does not know its number.",
    "agent.after-created-commit": "The held job's number is durable; it has no document.",
    "agent.after-send-document": "CUPS answered that it has the document; nobody has read back.",
    "agent.after-read-back": "CUPS holds the whole document; the ledger does not know.",
    "agent.after-spooled-commit": "Spooled; there is no permit.",
    "agent.before-permit-link": "The permit is written aside and synced; its name is not there yet.",
    "agent.after-permit": "The permit is issued; the job is held.",
    "agent.before-releasing-commit": "The point of no return is written, not committed.",
    "agent.after-releasing-commit": "The point of no return is durable; the job is held.",
    "agent.after-job-released": "CUPS has let the job go; nobody watches it.",
    "agent.before-revoke-link": "The revocation is written aside and synced; the claim is still open to both.",
    "agent.after-revoke": "The permit is won back; the try is not closed.",
    "agent.before-done-commit": "The pass is done, not committed.",
    "agent.after-done-commit": "The pass is done; the next has not been looked for.",
    "agent.before-again-commit": "The try is closed without paper, not committed.",
    "agent.after-again-commit": "The pass is ready for another try.",
    "agent.before-unknown-commit": "The question to a person is written, not committed.",
    "agent.after-unknown-commit": "A person is asked.",
    # Hall: reports
    "agent.before-publish": "The courier holds reports and has published none of them.",
    "agent.after-confirm": "The broker confirmed a report; the hall has not noted it, and will send it again.",
    "agent.after-sent-commit": "The report is noted as sent.",
    # Hall: anything else that it writes
    "agent.before-any-commit": "Some transaction of the ledger is written, not committed.",
    "agent.after-any-commit": "Some transaction of the ledger is durable; nobody has been woken.",
    # The backend
    "once.after-read": "The whole document is read; nothing is checked.",
    "once.after-check": "The job is the one that the permit is for; nothing is locked.",
    "once.before-wait": "The sender runs in its own session; the process that cupsd knows dies.",
    "once.sender-started": "The sender has its own session and no lock.",
    "once.after-device-lock": "The device is locked, and not asked.",
    "once.after-ready": "The device is ready; nothing is claimed.",
    "once.before-claim-link": "The claim is written aside, locked and synced; it is still open to both.",
    "once.after-claim-link": "The claim is won, its folder not synced.",
    "once.after-claim": "The claim is durable; `first` is not there, so that nothing can have been sent.",
    "once.after-first": "`first` is durable; the real backend was about to start.",
    "once.before-exec": "The child that was to become the real backend dies; the sender sees it.",
    "once.while-sending": "The sender dies, the real backend goes on with the device.",
    "once.before-done": "The real backend has ended; its result is not written down.",
    "once.after-done": "The result is durable; cupsd was not told.",
}
ASKING = frozenset(
    {"once.after-first", "once.while-sending", "once.before-done"}
)  # started, and no result: only a person can tell


def crash_point(name: str) -> None:
    """Die here if a test asks for it; otherwise this is one look into a dictionary."""
    if SWITCH in sys._xoptions and _is_meant(name, os.environ.get(VARIABLE, "")):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_meant(name: str, folder: str) -> bool:
    try:
        with open(f"{folder}/point", encoding="ascii") as file:
            asked, _, nth = file.read().strip().partition(":")
    except OSError:
        return False
    return asked == name and _hit(folder) == int(nth or 1)


def _hit(folder: str) -> int:
    """Return the number of this hit: the first that no process has taken."""
    for number in count(1):
        try:
            os.close(os.open(f"{folder}/hit.{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            return number
        except FileExistsError:
            continue
    raise AssertionError("numbers do not end")
