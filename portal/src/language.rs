//! Which language a visitor reads, from the `Accept-Language` header.
//!
//! Knows nothing of the words themselves (see `words`). Source: RFC 9110 §12.4.2 (weights) and
//! §12.5.4 (`Accept-Language`).

/// How many entries of a header are looked at. Browsers send fewer than ten; the bound keeps a
/// hostile header cheap.
const ENTRIES_MAX: usize = 32;

/// A language that every page exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, and the answer when nothing else fits.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
}

impl Language {
    /// Every language, English first.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Fr];

    /// The language tag for the `lang` attribute and the `Content-Language` header: two lower-case
    /// letters (ISO 639-1).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }

    /// The best language for the value of an `Accept-Language` header.
    ///
    /// The highest weight wins, the earlier entry at equal weights. Only the first part of a tag
    /// counts (`de-CH` is German), `*` is English, weight 0 means never, and an entry that does not
    /// parse is passed over. With nothing left the answer is English. Only the first 32 entries are
    /// read.
    ///
    /// Source: RFC 9110 §12.5.4; matching as RFC 4647 §3.4 ("lookup").
    #[must_use]
    pub fn from_accept(header: &str) -> Self {
        let mut best = (0, Self::En);
        for entry in header.split(',').take(ENTRIES_MAX) {
            let Some((language, weight)) = parse_entry(entry) else {
                continue;
            };
            if best.0 < weight {
                best = (weight, language);
            }
        }
        best.1
    }

    fn from_tag(tag: &str) -> Option<Self> {
        if tag == "*" {
            return Some(Self::En);
        }
        let primary = tag.split('-').next()?;
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }
}

/// One entry such as `de-CH;q=0.8`: the language and its weight in thousandths.
fn parse_entry(entry: &str) -> Option<(Language, u16)> {
    let mut parts = entry.split(';').map(str::trim);
    let language = Language::from_tag(parts.next()?)?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => parse_weight(parameter)?,
    };
    match parts.next() {
        None => Some((language, weight)),
        Some(_) => None,
    }
}

/// A weight such as `q=0.85` in thousandths; `None` unless it is 0 to 1 with at most three decimals.
fn parse_weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, De, En, Fr};

    #[test]
    fn the_best_weight_that_we_speak_wins() {
        let cases = [
            ("", En),
            ("de", De),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Fr),
            ("DE-at", De),
            ("en;q=0.5, de;q=0.6", De),
            ("de;q=0.6, fr;q=0.6", De),
            ("ja, ko;q=0.9, de;q=0.1", De),
            ("ja, ko", En),
            ("*", En),
            ("*;q=0.4, fr;q=0.5", Fr),
            ("de;q=0, fr;q=0.001", Fr),
            ("de;q=0", En),
            (" de ; q = 0.3 ,en;q=0.2", De),
            ("de;q=1.000, en", De),
            ("dex, fr;q=0.2", Fr),
        ];
        for (header, expect) in cases {
            assert_eq!(Language::from_accept(header), expect, "`{header}`");
        }
    }

    #[test]
    fn entries_that_do_not_parse_are_passed_over() {
        let cases = [
            "de;q=2",
            "de;q=1.5",
            "de;q=-1",
            "de;q=0.1234",
            "de;q=nan",
            "de;q=",
            "de;q",
            "de;x=1",
            "de;q=0.9;q=0.8",
            ";;;,,,",
            "de;q=0.١",
            "\u{202e}de",
            "de;q=.5",
        ];
        for bad in cases {
            assert_eq!(Language::from_accept(bad), En, "`{bad}`");
            let header = format!("{bad}, fr;q=0.1");
            assert_eq!(Language::from_accept(&header), Fr, "`{header}`");
        }
    }

    #[test]
    fn a_huge_header_is_read_only_at_its_beginning() {
        let header = format!("{}de", "xx,".repeat(32));
        assert_eq!(Language::from_accept(&header), En);
    }
}
