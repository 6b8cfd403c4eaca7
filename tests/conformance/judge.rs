//! Whether an answer is what a case expects, and what every authorization answers.

use regex::RegexBuilder;
use serde_json::Value;

use super::exchange::{Reply, SetCookie};
use super::fixture::Place;
use super::script::{Expect, Source, Test};
use super::world::World;

const REMOTE: [&str; 4] = [
    "Remote-User",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
];

/// The challenges of strategies that read a header.
const CHALLENGES: [&str; 2] = ["WWW-Authenticate", "Proxy-Authenticate"];

/// All that is wrong with the answer.
pub(super) fn judge(
    place: &Place,
    world: &World,
    expects: &[Expect],
    reply: &Reply,
) -> Vec<String> {
    let mut wrong: Vec<String> = expects
        .iter()
        .filter_map(|expect| one(place, world, expect, reply).err())
        .collect();
    if reply.is_authorization
        && !matches!(reply.status, 0 | 301 | 404 | 405)
        && reply.header("allow").is_none()
    {
        wrong.extend(authorization(expects, reply));
    }
    wrong
}

fn one(place: &Place, world: &World, expect: &Expect, reply: &Reply) -> Result<(), String> {
    match expect {
        Expect::Count(..) => Ok(()),
        Expect::Status(statuses, then) => {
            if !statuses.contains(&reply.status) {
                return Err(format!("status {}, not {statuses:?}", reply.status));
            }
            match then {
                Some(user) if reply.status == 200 => told_of(place, user, reply),
                Some(location) => compare(
                    "Location",
                    &Test::Is(world.fill(location)?),
                    reply.header("location"),
                ),
                None => Ok(()),
            }
        }
        Expect::Header(name, test) => compare(name, &filled(world, test)?, reply.header(name)),
        Expect::Body(test) => compare("body", &filled(world, test)?, Some(reply.body.clone())),
        Expect::Json(text) => {
            let wanted: Value = serde_json::from_str(&world.fill(text)?).expect("JSON in a case");
            let got = serde_json::from_str(&reply.body)
                .map_err(|_| format!("no JSON but `{}`", reply.body))?;
            holds(&wanted, Some(&got), "")
        }
        Expect::Cookie(name, attributes) => cookie(world, name, attributes, reply),
        Expect::NoCookie(name) => {
            let found = reply
                .cookies()
                .find(|cookie| name.as_ref().is_none_or(|name| cookie.name == name));
            found.map_or(Ok(()), |cookie| Err(format!("sets {cookie:?}")))
        }
        Expect::After(least) if reply.took < *least => Err(format!("after {:?} only", reply.took)),
        Expect::Within(most) if reply.took > *most => Err(format!("after {:?}", reply.took)),
        Expect::After(_) | Expect::Within(_) => Ok(()),
    }
}

/// What no case has to say of an authorization.
fn authorization(expects: &[Expect], reply: &Reply) -> Vec<String> {
    let mut wrong = Vec::new();
    let said = |name: &str| {
        expects.iter().any(|expect| match expect {
            Expect::Header(known, _) => known.eq_ignore_ascii_case(name),
            Expect::Status(_, Some(_)) => name == "Location" && reply.status != 200,
            Expect::Cookie(..) => name == "Set-Cookie",
            _ => false,
        })
    };
    let is_redirect = matches!(reply.status, 302 | 303);
    let mut absent: Vec<&str> = CHALLENGES.into_iter().filter(|name| !said(name)).collect();
    if !is_redirect && !said("Location") {
        absent.push("Location");
    }
    if reply.status == 200 {
        absent.push("Set-Cookie");
        if !reply.body.is_empty() {
            wrong.push(format!("200 has a body: `{}`", reply.body));
        }
        let missing = REMOTE
            .into_iter()
            .filter(|name| reply.header(name).is_none());
        wrong.extend(missing.map(|name| format!("200 lacks {name}")));
    } else {
        absent.extend(REMOTE);
    }
    let there = absent
        .into_iter()
        .filter_map(|name| Some((name, reply.header(name)?)));
    wrong.extend(there.map(|(name, value)| format!("has {name}: {value}")));
    // What cannot be read is refused by the HTTP library, which says no more than the status.
    let was_read = !matches!(reply.status, 400 | 431) || !reply.body.is_empty();
    if was_read {
        for (name, value) in [
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ] {
            wrong.extend(compare(name, &Test::Is(value.into()), reply.header(name)).err());
        }
    }
    wrong
}

/// Whether the four fields tell of that user as the users file has it.
fn told_of(place: &Place, user: &str, reply: &Reply) -> Result<(), String> {
    let expected = match user {
        "nobody" => [String::new(), String::new(), String::new(), String::new()],
        name => place.remote(name),
    };
    for (name, value) in REMOTE.into_iter().zip(expected) {
        compare(name, &Test::Is(value), reply.header(name))?;
    }
    Ok(())
}

fn filled(world: &World, test: &Test) -> Result<Test, String> {
    Ok(match test {
        Test::Absent => Test::Absent,
        Test::Present => Test::Present,
        Test::Is(text) => Test::Is(world.fill(text)?),
        Test::Matches(text) => Test::Matches(world.fill(text)?),
        Test::Differs(text) => Test::Differs(world.fill(text)?),
    })
}

fn compare(what: &str, test: &Test, got: Option<String>) -> Result<(), String> {
    let is_right = match (test, &got) {
        (Test::Absent, None) | (Test::Present, Some(_)) => true,
        (Test::Is(text), Some(got)) => text == got,
        (Test::Matches(pattern), Some(got)) => matches(pattern, got),
        (Test::Differs(pattern), Some(got)) => !matches(pattern, got),
        (Test::Absent, Some(_)) | (_, None) => false,
    };
    if is_right {
        return Ok(());
    }
    Err(format!("{what} is {got:?}, not {test:?}"))
}

fn matches(pattern: &str, text: &str) -> bool {
    let built = RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .build();
    built.expect("a pattern in a case").is_match(text)
}

/// Whether a document holds at least what is wanted.
fn holds(wanted: &Value, got: Option<&Value>, path: &str) -> Result<(), String> {
    let wrong = || Err(format!("{path} is {got:?}, not {wanted}"));
    match (wanted, got) {
        (Value::Object(map), _) if map.len() == 1 && map.contains_key("absent") => {
            if got.is_some() { wrong() } else { Ok(()) }
        }
        (Value::Object(map), Some(got))
            if map.len() == 1 && (map.contains_key("re") || map.contains_key("not_re")) =>
        {
            let (key, pattern) = map.iter().next().expect("one key");
            let pattern = pattern.as_str().expect("a pattern in a case");
            let is_right = got
                .as_str()
                .is_some_and(|got| matches(pattern, got) == (key == "re"));
            if is_right { Ok(()) } else { wrong() }
        }
        (Value::Object(map), Some(Value::Object(found))) => map
            .iter()
            .try_for_each(|(key, wanted)| holds(wanted, found.get(key), &format!("{path}.{key}"))),
        (Value::Array(list), Some(Value::Array(found))) if list.len() == found.len() => list
            .iter()
            .zip(found)
            .try_for_each(|(wanted, got)| holds(wanted, Some(got), &format!("{path}[]"))),
        (wanted, Some(got)) if wanted == got => Ok(()),
        _ => wrong(),
    }
}

fn cookie(world: &World, name: &str, attributes: &[String], reply: &Reply) -> Result<(), String> {
    let found: Vec<SetCookie<'_>> = reply
        .cookies()
        .filter(|cookie| cookie.name == name)
        .collect();
    let last = found.last().ok_or(format!(
        "no cookie {name}: {:?}",
        reply.header("set-cookie")
    ))?;
    for wanted in attributes {
        let wanted = world.fill(wanted)?;
        let is_right = match wanted.split_once(['=', '~', '!']) {
            None => last.attribute(&wanted).is_some(),
            Some(("count", count)) => count == found.len().to_string(),
            Some(("lives", "session")) => last.lifetime_s().is_none(),
            Some(("lives", "past")) => last.lifetime_s().is_some_and(|left| left <= 0.0),
            Some(("lives", range)) => last.lifetime_s().is_some_and(|left| is_within(left, range)),
            Some(("value", text)) if wanted.starts_with("value~") => matches(text, last.value),
            Some(("value", text)) if wanted.starts_with("value!=") => &text[1..] != last.value,
            Some(("value", text)) => text == last.value,
            Some((attribute, "-")) => last.attribute(attribute).is_none(),
            Some((attribute, value)) => last
                .attribute(attribute)
                .is_some_and(|got| got.eq_ignore_ascii_case(value)),
        };
        if !is_right {
            return Err(format!("cookie {last:?}, not {wanted}"));
        }
    }
    Ok(())
}

fn is_within(value: f64, range: &str) -> bool {
    let (least, most) = range.split_once("..").expect("a range in a case");
    let bound = |text: &str| text.parse::<f64>().expect("a number in a case");
    (bound(least)..=bound(most)).contains(&value)
}

/// The text that a case wants to keep of an answer.
pub(super) fn find(source: &Source, reply: &Reply) -> Result<String, String> {
    let found = match source {
        Source::Cookie(name) => {
            let last = reply.cookies().filter(|cookie| cookie.name == name).last();
            last.map(|cookie| cookie.value.to_owned())
        }
        Source::Json(path) => {
            let document: Value = serde_json::from_str(&reply.body).unwrap_or_default();
            let pointer = format!("/{}", path.replace('.', "/"));
            document.pointer(&pointer).map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
        }
        Source::Header(name, pattern) => reply.header(name).and_then(|text| first(pattern, &text)),
        Source::Body(pattern) => first(pattern, &reply.body),
    };
    found.ok_or(format!("{source:?} is not in the answer: {}", reply.body))
}

/// What the first group of the last match is.
pub(super) fn first(pattern: &str, text: &str) -> Option<String> {
    let built = RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .build();
    let pattern = built.expect("a pattern in a case");
    let last = pattern.captures_iter(text).last()?;
    Some(last.get(1)?.as_str().to_owned())
}
