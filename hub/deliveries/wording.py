"""States and reasons in plain words, with the next step where there is one."""

from __future__ import annotations

from hub.deliveries.rules import DeliveryState, Reach, Why

PLACES: dict[Reach, str] = {
    Reach.REACHED: "Reached",
    Reach.ON_ITS_WAY: "On its way",
    Reach.WAITING_FOR_CALL: "Waiting for a call",
    Reach.POSTED: "Told by a public post (not confirmed)",
    Reach.DECLINED: "Chose not to be contacted",
    Reach.NOT_REACHED: "Not reached",
}

STATES: dict[DeliveryState, str] = {
    DeliveryState.PLANNED: "Waiting to be sent",
    DeliveryState.UNCERTAIN: "May have been sent: we are finding out",
    DeliveryState.SENT: "Sent, not yet delivered",
    DeliveryState.ON_LIST: "On a call list",
    DeliveryState.POSTED: "Posted publicly",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.CONFIRMED: "Told, and they know",
    DeliveryState.FAILED: "Did not get through: the next way is being tried",
    DeliveryState.UNREACHABLE: "Not reached",
    DeliveryState.DECLINED: "Chose not to be contacted",
    DeliveryState.EXPIRED: "Too late to be of use",
    DeliveryState.CANCELLED: "Cancelled",
}

REASONS: dict[Why, str] = {
    Why.NONE: "",
    Why.NO_CONTACT_POINT: "We have no way to reach them",
    Why.ALL_BAD: "None of their addresses and numbers work",
    Why.NOT_AGREED: "They have not agreed to any way that we could use",
    Why.OPTED_OUT: "They asked us to stop",
    Why.TOPIC_DECLINED: "They do not want to hear about this topic",
    Why.PAUSED: "They asked for a pause",
    Why.NO_RUNG_LEFT: "Every way has been tried",
    Why.CONTACT_POINT_IS_BAD: "The address or number does not work",
    Why.CONTENT: "The provider would not take this message",
    Why.NOT_DELIVERED: "It could not be delivered",
    Why.NOT_NOW: "It could not be delivered just then, as when a phone is off",
    Why.UNEXPLAINED: "It could not be delivered, and the provider does not say why",
    Why.PROVIDER_BUSY: "The provider was too busy for too long",
    Why.NOT_SENT: "It was not sent",
    Why.MAYBE_SENT: "Nobody could find out whether it was sent",
    Why.NO_REPORT: "It was sent, and nobody could find out whether it arrived",
    Why.NO_ANSWER: "Nobody answered",
    Why.NOT_USEFUL_ANY_MORE: "It was no longer of use",
    Why.ANNOUNCEMENT_CANCELLED: "The announcement was cancelled",
    Why.NO_BOUNCE: "It was handed over, and did not come back",
    Why.TOLD_BY_PHONE: "Told on the phone",
    Why.ANSWERED: "They answered",
}

NEXT_STEPS: dict[Why, str] = {
    Why.NO_CONTACT_POINT: "Ask them, or somebody who knows them, how they would like to be reached.",
    Why.ALL_BAD: "Ask for a new address or number, or visit.",
    Why.NOT_AGREED: "Ask them whether we may use what we have.",
    Why.NO_RUNG_LEFT: "Try to reach them through somebody who knows them.",
    Why.CONTACT_POINT_IS_BAD: "Ask for a new address or number.",
    Why.NOT_DELIVERED: "Ring them, or try again later.",
    Why.NOT_NOW: "Ring them, or try again later.",
    Why.UNEXPLAINED: "Ring them, or try again later.",
    Why.MAYBE_SENT: "Ask them whether they got it.",
    Why.NO_REPORT: "Ask them whether they got it.",
    Why.CONTENT: "Change the wording, and send it to these people again.",
    Why.PROVIDER_BUSY: "Copy the announcement, and send it to these people later.",
    Why.NO_ANSWER: "Try at another time of day.",
}
"""What an organiser can do for people who were not reached for a reason."""
