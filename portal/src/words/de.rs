//! The portal in German.

use super::{Around, Errors, Notices, Saying, Words};

pub(super) static WORDS: Words = Words {
    sign_in: "Anmelden",
    signing_in_to: Around {
        before: "Sie melden sich an, um ",
        after: " zu öffnen.",
    },
    user_name: "Benutzername",
    password: "Passwort",
    remember: "Auf diesem Gerät angemeldet bleiben",
    failed: "Nicht angemeldet",
    notice: Notices {
        wrong_credentials: "Das hat nicht geklappt. Prüfen Sie Benutzername und Passwort und versuchen Sie es noch einmal.",
        wrong_code: "Das hat nicht geklappt. Warten Sie auf den nächsten Code und versuchen Sie es dann erneut.",
        unavailable: "Die Anmeldung ist gerade nicht möglich. Bitte versuchen Sie es gleich noch einmal.",
        signed_out: "Sie sind abgemeldet.",
        session_expired: "Ihre Sitzung ist beendet. Bitte melden Sie sich wieder an.",
        form_expired: "Diese Seite war zu lange geöffnet. Bitte melden Sie sich noch einmal an.",
        second_factor_not_set_up: "Diese Seite verlangt einen zweiten Faktor, der für Sie nicht eingerichtet ist.",
    },
    second_factor: Saying {
        title: "Noch ein Schritt",
        text: "Geben Sie den Code ein, den Ihre Authenticator-App für dieses Konto zeigt.",
    },
    code: "Code",
    confirm: "Bestätigen",
    not_you: Around {
        before: "Nicht ",
        after: "? Abmelden",
    },
    use_second_factor: "Code eingeben für Seiten, die einen verlangen",
    signed_in: "Sie sind angemeldet",
    signed_in_on: Around {
        before: "bei ",
        after: "",
    },
    continue_to: Around {
        before: "Weiter zu ",
        after: "",
    },
    sign_out: "Abmelden",
    leaving: Saying {
        title: "Abmelden?",
        text: "Ihre Sitzung endet dann hier und auf jeder Seite, die Sie damit geöffnet haben.",
    },
    stay: "Angemeldet bleiben",
    signed_out: Saying {
        title: "Sie sind abgemeldet",
        text: "Ihre Sitzung ist auf jeder Seite beendet, die Sie damit geöffnet haben.",
    },
    sign_in_again: "Wieder anmelden",
    back: "Zur Anmeldung",
    error_code: "Fehler",
    request: "Anfrage",
    error: Errors {
        bad_request: Saying {
            title: "Das war nicht zu verstehen",
            text: "Die Adresse oder das Formular war unvollständig; bitte beginnen Sie noch einmal von vorn.",
        },
        forbidden: Saying {
            title: "Hier haben Sie keinen Zutritt",
            text: "Fragen Sie den Betreiber, falls Sie diese Seite sehen sollten.",
        },
        not_found: Saying {
            title: "Hier ist nichts",
            text: "Vielleicht ist die Adresse falsch geschrieben oder die Seite umgezogen.",
        },
        method_not_allowed: Saying {
            title: "Das geht hier nicht",
            text: "Diese Adresse nimmt solche Anfragen nicht an.",
        },
        too_large: Saying {
            title: "Das war zu viel auf einmal",
            text: "Die Anfrage war größer, als diese Seite annimmt.",
        },
        too_many_requests: Saying {
            title: "Bitte etwas langsamer",
            text: "Das waren zu viele Anfragen in kurzer Zeit; warten Sie einen Moment und versuchen Sie es noch einmal.",
        },
        internal: Saying {
            title: "Bei uns ist etwas schiefgegangen",
            text: "Es lag nicht an Ihnen; bitte versuchen Sie es gleich noch einmal.",
        },
        unavailable: Saying {
            title: "Gerade nicht verfügbar",
            text: "Der Dienst kann im Moment nicht sicher antworten; bitte versuchen Sie es in Kürze noch einmal.",
        },
    },
};
