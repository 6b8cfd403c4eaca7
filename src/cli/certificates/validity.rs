//! Durations of certificates as people write them: `1y`, `90d`, `1y6M`, `12h`.

use std::time::Duration;

/// One day.
pub(in crate::cli) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest validity, in days; the date field of a certificate ends with the year 9999, and
/// more than a century is a typing error.
const DAYS_MAX: u32 = 36_500;

/// Reads a sequence of numbers with units: `y` (365 days), `M` (30 days), `w`, `d`, `h`, `m`, `s`.
/// The sum must be at least one minute and at most a century.
pub(in crate::cli) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration like 1y, 90d or 12h (1m to {DAYS_MAX}d)");
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let mut tail = tail.chars();
        let unit = tail.next().and_then(unit).ok_or_else(wrong)?;
        let part = unit.checked_mul(number).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = tail.as_str();
    }
    let bounds = Duration::from_secs(60)..=DAY * DAYS_MAX;
    if bounds.contains(&total) {
        Ok(total)
    } else {
        Err(wrong())
    }
}

fn unit(letter: char) -> Option<Duration> {
    match letter {
        'y' => Some(DAY * 365),
        'M' => Some(DAY * 30),
        'w' => Some(DAY * 7),
        'd' => Some(DAY),
        'h' => Some(Duration::from_secs(3600)),
        'm' => Some(Duration::from_secs(60)),
        's' => Some(Duration::from_secs(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        assert_eq!(parse("1y"), Ok(DAY * 365));
        assert_eq!(parse("90d"), Ok(DAY * 90));
        assert_eq!(parse("1y6M12h"), Ok(DAY * 545 + DAY / 2));
    }

    #[test]
    fn other_words_and_other_lengths_are_refused() {
        for text in [
            "",
            "1",
            "y",
            "-1d",
            "1.5d",
            "1d ",
            "59s",
            "101y",
            "4294967295y",
            "9999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
