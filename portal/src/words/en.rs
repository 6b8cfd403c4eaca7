//! The portal in English, the language the others are translated from.

use super::{Around, Errors, Notices, Saying, Words};

pub(super) static WORDS: Words = Words {
    sign_in: "Sign in",
    signing_in_to: Around {
        before: "You are signing in to continue to ",
        after: ".",
    },
    user_name: "User name",
    password: "Password",
    remember: "Keep me signed in on this device",
    failed: "Not signed in",
    notice: Notices {
        wrong_credentials: "That did not work. Check your user name and password, then try again.",
        wrong_code: "That did not work. Wait for the next code, then try again.",
        unavailable: "Signing in is not possible right now. Please try again in a moment.",
        signed_out: "You are signed out.",
        session_expired: "Your session has ended. Please sign in again.",
        form_expired: "This page had been open for too long. Please sign in once more.",
        second_factor_not_set_up: "This site asks for a second factor, which is not set up for you.",
    },
    second_factor: Saying {
        title: "One more step",
        text: "Enter the code that your authenticator app shows for this account.",
    },
    code: "Code",
    confirm: "Confirm",
    not_you: Around {
        before: "Not ",
        after: "? Sign out",
    },
    use_second_factor: "Enter a code for sites that ask for one",
    signed_in: "You are signed in",
    signed_in_on: Around {
        before: "on ",
        after: "",
    },
    continue_to: Around {
        before: "Continue to ",
        after: "",
    },
    sign_out: "Sign out",
    leaving: Saying {
        title: "Sign out?",
        text: "This ends your session here and on every site that you reached through it.",
    },
    stay: "Stay signed in",
    signed_out: Saying {
        title: "You are signed out",
        text: "Your session has ended on every site that you reached through it.",
    },
    sign_in_again: "Sign in again",
    back: "Go to the sign-in page",
    error_code: "Error",
    request: "Request",
    error: Errors {
        bad_request: Saying {
            title: "That could not be understood",
            text: "The address or the form was incomplete, so please start again.",
        },
        forbidden: Saying {
            title: "This is not open to you",
            text: "Ask whoever runs the site if you should be able to see it.",
        },
        not_found: Saying {
            title: "There is nothing here",
            text: "The address may be mistyped, or the page may have moved.",
        },
        method_not_allowed: Saying {
            title: "That cannot be done here",
            text: "This address does not take requests of that kind.",
        },
        too_large: Saying {
            title: "That was too much at once",
            text: "The request was larger than this page accepts.",
        },
        too_many_requests: Saying {
            title: "Slow down a little",
            text: "There were too many requests in a short time; wait a moment, then try again.",
        },
        internal: Saying {
            title: "Something went wrong on our side",
            text: "It was nothing that you did; please try again in a moment.",
        },
        unavailable: Saying {
            title: "Not available right now",
            text: "The service cannot answer safely at this moment; please try again shortly.",
        },
    },
};
