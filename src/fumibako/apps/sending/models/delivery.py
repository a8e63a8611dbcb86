"""送信明細: one row per selected address, and every move it ever made.

Only `apps.sending.ledger` writes `state`, `attempt` and `owner`; the constraints repeat `delivery.states`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.delivery.states import IN_FLIGHT, State, Trigger

from .job import BulkSend

STATES = [(state.value, state.value) for state in State]
OWNED = sorted(state.value for state in IN_FLIGHT)
"""In a fixed order: a set has another one in every process, and migrations would seem to lag behind."""
TRIGGERS = [(trigger.value, trigger.value) for trigger in Trigger]


class Delivery(models.Model):
    """One mail to one address. Snapshots of the person stand beside the links, so history never changes."""

    # Links without an index of their own are found by one of those below.
    job = models.ForeignKey(BulkSend, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    account = models.ForeignKey(MailAccount, on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveIntegerField()
    """Place in the frozen list, from 1."""
    recipient = models.ForeignKey(
        Recipient, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries", db_index=False
    )
    party_address = models.ForeignKey(PartyAddress, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    party_kind = models.CharField(max_length=10)
    party_number = models.CharField(max_length=20)
    party_name = models.CharField(max_length=120)
    address = models.CharField(max_length=254, blank=True, default="")
    address_key = models.CharField(max_length=254, blank=True, default="")
    wire_address = models.CharField(max_length=320, blank=True, default="")
    """Exactly what RCPT TO carries, without the angle brackets."""

    state = models.CharField(max_length=14, choices=STATES, default=State.PLANNED)
    exclusion = models.CharField(max_length=20, blank=True, default="")
    """Why the row is SUPPRESSED: no_address, do_not, cannot, opt_out, bad_address, duplicate …; empty otherwise."""
    attempt = models.PositiveIntegerField(default=0)
    """Fencing token: raised by every claim."""
    owner = models.CharField(max_length=36, blank=True, default="")
    """Worker id while in flight."""
    claimed_at = models.DateTimeField(null=True, blank=True)
    not_before_at = models.DateTimeField(null=True, blank=True)
    deferred_count = models.PositiveIntegerField(default=0)
    resend_count = models.PositiveIntegerField(default=0)
    """Resends that a named person ordered: copies ≤ 1 + this."""

    stage = models.CharField(max_length=12, blank=True, default="")
    code = models.PositiveSmallIntegerField(default=0)
    enhanced = models.CharField(max_length=12, blank=True, default="")
    text = models.CharField(max_length=500, blank=True, default="")
    refused_copies = models.CharField(max_length=1000, blank=True, default="")

    message_id = models.CharField(max_length=200, blank=True, default="")
    """Without angle brackets; fixed for ever, the same on every try."""
    dated_at = models.DateTimeField(null=True, blank=True)
    boundary = models.CharField(max_length=70, blank=True, default="")
    values = models.JSONField(default=dict)
    """Merge values as they were at approval."""
    raw_sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveIntegerField(default=0)
    charset = models.CharField(max_length=12, blank=True, default="")
    """Really used: differs from the job's when characters did not fit."""
    is_counted = models.BooleanField(default=False)
    """This row has counted against its address (at most once)."""
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="again", db_index=False
    )
    """The failed delivery that this one repeats."""

    changed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["job", "seq"], name="delivery_seq_once"),
            models.UniqueConstraint(
                # Says the same as "not SUPPRESSED", but no move of the state touches this index.
                fields=["job", "address_key"],
                condition=models.Q(exclusion=""),
                name="delivery_address_once",
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=~models.Q(message_id=""), name="delivery_message_id_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]), name="delivery_known_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=OWNED, owner__gt="") | (~models.Q(state__in=OWNED) & models.Q(owner="")),
                name="delivery_owned_while_in_flight",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=State.SUPPRESSED.value) | ~models.Q(exclusion=""),
                name="delivery_exclusion_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "job", "seq"], condition=models.Q(state=State.QUEUED.value), name="delivery_due"
            ),
            # Holds every column that the sums of a job ask for (`queries.counts_of_jobs`).
            models.Index(
                fields=["job", "state", "deferred_count", "not_before_at", "changed_at"], name="delivery_by_state"
            ),
            models.Index(fields=["recipient", "-id"], name="delivery_of_person"),
            # Holds every column that a search for names and addresses looks through, and not the letters' values.
            models.Index(fields=["job", "address", "party_name", "party_number"], name="delivery_to_whom"),
            models.Index(
                fields=["account", "sent_at"],
                condition=models.Q(sent_at__isnull=False),
                name="delivery_handed_over",
            ),
            models.Index(fields=["previous"], condition=models.Q(previous__isnull=False), name="delivery_again"),
            # Owned means in flight, and a question says `owner__gt=""` to be answered from here: what is asked with a
            # list of states, no database recognises as this condition. A mark leaves the index alone.
            models.Index(fields=["account", "owner"], condition=models.Q(owner__gt=""), name="delivery_in_flight"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}-{self.seq} {self.state}"


class DeliveryEvent(models.Model):
    """One move of one delivery. Appended only; a row can be rebuilt from its events."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    trigger = models.CharField(max_length=14, choices=TRIGGERS)
    from_state = models.CharField(max_length=14, choices=STATES)
    to_state = models.CharField(max_length=14, choices=STATES)
    attempt = models.PositiveIntegerField()
    owner = models.CharField(max_length=36, blank=True, default="")
    stage = models.CharField(max_length=12, blank=True, default="")
    code = models.PositiveSmallIntegerField(default=0)
    enhanced = models.CharField(max_length=12, blank=True, default="")
    text = models.CharField(max_length=500, blank=True, default="")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=100, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(
                    trigger__in=[Trigger.RESEND.value, Trigger.TREAT_AS_SENT.value, Trigger.GIVE_UP.value]
                )
                | (~models.Q(actor_name="") & ~models.Q(reason="")),
                name="delivery_event_person_and_reason",
            )
        ]
        # Hardly any event names a person, and all others are spared the writing.
        indexes = [
            models.Index(fields=["operator"], condition=models.Q(operator__isnull=False), name="event_by_operator")
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.trigger}"


class Addressee(models.Model):
    """An address and a name that deliveries go to, once for all of them: a search over every year begins here.

    Written when a job is approved and never changed, as their columns in the deliveries are.
    """

    address = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "name"], name="addressee_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.address}"


class SentTo(models.Model):
    """A job has a row to an addressee: the way from these to the jobs."""

    pk = models.CompositePrimaryKey("addressee", "job")
    # Found by the addressee alone, with which the key begins.
    addressee = models.ForeignKey(Addressee, on_delete=models.PROTECT, related_name="+", db_index=False)
    job = models.ForeignKey(BulkSend, on_delete=models.PROTECT, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"{self.addressee_id} {self.job_id}"
