//! The colours of every theme are far enough apart to be read.
//!
//! Source: WCAG 2.2, success criteria 1.4.3 (text, 4.5 to 1) and 1.4.11 (edges, 3 to 1), and its
//! definitions of contrast ratio and relative luminance.

use std::collections::BTreeMap;

use quorate_portal::assets;

type Colours = BTreeMap<String, [u8; 3]>;

fn style_sheet() -> &'static str {
    let css = assets().iter().find(|asset| asset.path.ends_with(".css"));
    std::str::from_utf8(css.expect("there is a style sheet").bytes).expect("it is text")
}

/// The custom properties that are set in each rule whose selector is `selector`, in order.
fn rules(selector: &str) -> Vec<Colours> {
    let start = format!("{selector} {{");
    let bodies = style_sheet().split(start.as_str()).skip(1);
    bodies
        .map(|rest| colours(rest.split('}').next().expect("split yields one part")))
        .collect()
}

fn colours(body: &str) -> Colours {
    let properties = body
        .split(';')
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    properties
        .map(|(name, value)| (name.to_owned(), parse(value)))
        .collect()
}

fn parse(value: &str) -> [u8; 3] {
    let digits = value.strip_prefix('#').expect("a colour is in hexadecimal");
    let channel = |at: usize| match digits.len() {
        3 => digits.get(at..=at).map(|digit| digit.repeat(2)),
        _ => digits.get(2 * at..2 * at + 2).map(str::to_owned),
    };
    [0, 1, 2].map(|at| {
        let pair = channel(at).expect("a colour has 3 or 6 digits");
        u8::from_str_radix(&pair, 16).expect("a colour is in hexadecimal")
    })
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_computed_as_the_standard_says() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.001);
    assert!((contrast([0x77; 3], [255; 3]) - 4.478).abs() < 0.001);
}

#[test]
fn every_theme_can_be_read() {
    let text = [
        ("ink", "card"),
        ("ink", "field"),
        ("ink", "tint"),
        ("soft", "card"),
        ("accent", "card"),
        ("accent", "tint"),
        ("on-accent", "accent"),
        ("on-accent", "accent-hover"),
        ("bad", "bad-tint"),
        ("bad", "card"),
    ];
    let edges = [
        ("edge", "card"),
        ("edge", "field"),
        ("accent", "field"),
        ("bad", "field"),
    ];
    let selectors = [
        ":root",
        "[data-theme=\"dark\"]",
        "[data-theme=\"grey\"]",
        "[data-theme=\"oled\"]",
    ];
    for selector in selectors {
        let rules = rules(selector);
        let theme = rules.first().expect("the theme is there");
        let pairs = text
            .map(|pair| (pair, 4.5))
            .into_iter()
            .chain(edges.map(|pair| (pair, 3.0)));
        for ((front, back), at_least) in pairs {
            let colour = |name: &str| *theme.get(name).expect("the theme sets every colour");
            let ratio = contrast(colour(front), colour(back));
            assert!(
                at_least <= ratio,
                "{selector}: {front} on {back} is {ratio:.2}"
            );
        }
    }
}

/// The style sheet has to say the dark colours twice; they must stay the same.
#[test]
fn auto_is_as_dark_as_dark() {
    let dark = rules("[data-theme=\"dark\"]");
    let auto = rules("[data-theme=\"auto\"]");
    assert_eq!(dark.first().expect("dark is there").len(), 13);
    assert_eq!(dark.first(), auto.first());
}
