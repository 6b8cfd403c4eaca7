//! A log file whose name may hold the time, and which can be opened anew while lines are written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use quorate_core::Timestamp;

/// The file and the name it is made from.
pub(super) struct LogFile {
    /// As configured.
    template: String,
    file: Mutex<File>,
}

impl LogFile {
    /// Opens the file that `template` names at the time `now`, to write behind what it holds.
    pub(super) fn open(template: String, now: Timestamp) -> io::Result<Self> {
        let file = Mutex::new(append(&named(&template, now))?);
        Ok(Self { template, file })
    }

    pub(super) fn template(&self) -> &str {
        &self.template
    }

    /// Opens the file that the template names now. On failure the old one stays.
    pub(super) fn reopen(&self, now: Timestamp) -> io::Result<()> {
        let next = append(&named(&self.template, now))?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

/// A line is one call, so lines of different threads do not mix.
impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush()
    }
}

fn append(path: &str) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// `template` with `%d` and `{datetime}` replaced by the time as RFC 3339 has it, and `{datetime:LAYOUT}` by the parts
/// of it that the layout asks for, which is written as Authelia writes it: `2006-01-02 15:04:05`. Always in UTC.
fn named(template: &str, now: Timestamp) -> String {
    let whole = crate::clock::rfc3339(now);
    let mut name = String::new();
    let mut rest = template;
    while let Some(start) = rest.find(['%', '{']) {
        let (before, from) = rest.split_at(start);
        name.push_str(before);
        if let Some(tail) = from.strip_prefix("%d") {
            name.push_str(&whole);
            rest = tail;
        } else if let Some(tail) = from.strip_prefix("{datetime}") {
            name.push_str(&whole);
            rest = tail;
        } else if let Some((layout, tail)) = from
            .strip_prefix("{datetime:")
            .and_then(|tail| tail.split_once('}'))
        {
            name.push_str(&laid_out(layout, &whole));
            rest = tail;
        } else {
            let (sign, tail) = from.split_at(1);
            name.push_str(sign);
            rest = tail;
        }
    }
    name + rest
}

/// The parts of the time `whole` (`2026-11-28T01:02:03Z`) in the order of a layout of Go's reference time.
fn laid_out(layout: &str, whole: &str) -> String {
    let part = |from: usize, to: usize| whole.get(from..to).unwrap_or_default();
    let parts = [
        ("2006", part(0, 4)),
        ("Z07:00", "Z"),
        ("-07:00", "+00:00"),
        ("MST", "UTC"),
        ("01", part(5, 7)),
        ("02", part(8, 10)),
        ("15", part(11, 13)),
        ("04", part(14, 16)),
        ("05", part(17, 19)),
        ("06", part(2, 4)),
    ];
    let mut text = String::new();
    let mut rest = layout;
    while let Some(next) = rest.chars().next() {
        match parts.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                text.push_str(value);
                rest = rest.get(name.len()..).unwrap_or_default();
            }
            None => {
                text.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test without its value has failed")]

    use super::*;

    /// 2026-11-28 01:02:03 UTC.
    const NOW: Timestamp = Timestamp(1_795_827_723_000);

    #[test]
    fn the_name_holds_the_time_it_is_opened_at() {
        for (template, expected) in [
            ("/log/a.log", "/log/a.log"),
            ("/log/%d.log", "/log/2026-11-28T01:02:03Z.log"),
            ("/log/{datetime}.log", "/log/2026-11-28T01:02:03Z.log"),
            (
                "/log/{datetime:20060102-150405}.log",
                "/log/20261128-010203.log",
            ),
            ("{datetime:06/01/02 15h}é%", "26/11/28 01hé%"),
            ("{other}%s{datetime:", "{other}%s{datetime:"),
        ] {
            assert_eq!(named(template, NOW), expected);
        }
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("node.log");
        let moved = folder.path().join("node.log.1");
        let text = path.to_str().expect("UTF-8").to_owned();
        let log = LogFile::open(text, NOW).expect("opened");
        let write = |line: &str| (&log).write_all(line.as_bytes()).expect("written");
        write("one\n");
        std::fs::rename(&path, &moved).expect("moved");
        write("two\n");
        log.reopen(NOW).expect("opened anew");
        write("three\n");
        let read = |path| std::fs::read_to_string(path).expect("read");
        assert_eq!(
            (read(&moved), read(&path)),
            ("one\ntwo\n".into(), "three\n".into())
        );
        std::fs::remove_dir_all(folder.path()).expect("removed");
        assert!(log.reopen(NOW).is_err());
        write("kept\n");
    }
}
