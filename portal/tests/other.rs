//! What the pages beside the login page promise.

use quorate_portal::{
    ErrorPage, LoggedInNotice, LoggedInPage, LogoutPage, SecondFactorNotice, SecondFactorPage,
};

use crate::sample::{english, site};

#[test]
fn signing_out_takes_a_form_and_keeps_the_way() {
    let page = LogoutPage {
        frame: english(),
        target: Some("/x"),
    }
    .render();
    assert!(page.contains("<form method=\"post\" action=\"/logout\">"));
    assert!(page.contains("<input type=\"hidden\" name=\"rd\" value=\"/x\">"));
    let page = LogoutPage {
        frame: english(),
        target: None,
    }
    .render();
    assert!(!page.contains("name=\"rd\""));
}

#[test]
fn someone_signed_in_sees_who_and_where_and_can_leave() {
    let page = LoggedInPage {
        frame: english(),
        display_name: "Zoë Doe",
        domain: "example.com",
        home: Some(site()),
        offers_second_factor: false,
        notice: Some(LoggedInNotice::SecondFactorNotSetUp { target: site() }),
    };
    let page = page.render();
    assert!(
        page.contains("<bdi>Zoë Doe</bdi> <small>on <bdi>example.com</bdi></small>"),
        "{page}"
    );
    assert!(page.contains(
        " href=\"https://one.example.com/a?b=c\">Continue to <bdi>one.example.com</bdi></a>"
    ));
    assert!(page.contains("This site asks for a second factor, which is not set up for you."));
    assert!(page.contains("<form method=\"post\" action=\"/logout\">"));
}

#[test]
fn a_code_is_asked_for_with_the_keyboard_of_digits_and_the_way_is_kept() {
    let page = SecondFactorPage {
        frame: english(),
        display_name: "Zoë Doe",
        digits: 8,
        target: Some(site()),
        method: Some("PUT"),
        notice: Some(SecondFactorNotice::WrongCode),
    };
    let page = page.render();
    assert!(page.contains("<form method=\"post\" action=\"/second-factor\">"));
    assert!(page.contains(" inputmode=\"numeric\" pattern=\"[0-9]{8}\" maxlength=\"8\" autocomplete=\"one-time-code\""), "{page}");
    assert!(
        page.contains(
            "<input type=\"hidden\" name=\"rd\" value=\"https://one.example.com/a?b=c\">"
        )
    );
    assert!(page.contains("<input type=\"hidden\" name=\"rm\" value=\"PUT\">"));
    assert!(
        page.contains("<title>Not signed in · One more step"),
        "{page}"
    );
    assert!(page.contains("Wait for the next code, then try again."));
    assert!(
        page.contains("Not <bdi>Zoë Doe</bdi>? Sign out</button>"),
        "{page}"
    );
}

#[test]
fn an_error_page_says_what_happened_and_how_to_find_it_in_the_log() {
    let cases = [
        (400, "That could not be understood"),
        (403, "This is not open to you"),
        (404, "There is nothing here"),
        (405, "That cannot be done here"),
        (413, "That was too much at once"),
        (418, "That could not be understood"),
        (429, "Slow down a little"),
        (500, "Something went wrong on our side"),
        (502, "Something went wrong on our side"),
        (503, "Not available right now"),
    ];
    for (status, title) in cases {
        let page = ErrorPage {
            frame: english(),
            status,
            request_id: "9f2c",
        }
        .render();
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
        assert!(
            page.contains(&format!("Error {status} · Request <code>9f2c</code>")),
            "{page}"
        );
        assert!(page.contains("href=\"/\""), "{page}");
    }
    let page = ErrorPage {
        frame: english(),
        status: 500,
        request_id: "",
    }
    .render();
    assert!(!page.contains("<code>"));
}
