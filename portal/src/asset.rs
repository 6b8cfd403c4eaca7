//! The files beside the pages: one style sheet, one icon, `robots.txt`, and the words for programs. All are compiled in.
//!
//! Decides under which path a file is found, its type, its entity tag and how long it may be kept.
//! Does not know the portal's path prefix, nor how a reply is sent.
//!
//! | path | file | kept |
//! |---|---|---|
//! | `/static/portal-<hash>.css` | the style sheet | for ever: another content has another path |
//! | `/static/mark-<hash>.svg` | the icon | for ever |
//! | `/favicon.ico` | the icon, as SVG | a day |
//! | `/robots.txt` | keeps search engines away | a day |
//! | `/locales/<language>/portal.json` | the words of the pages | asked for each time |
//!
//! `<hash>` is the first 8 hexadecimal digits of the SHA-256 of the content.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::language::Language;

const STYLE_SHEET: &[u8] = include_bytes!("../assets/portal.css");
const MARK: &[u8] = include_bytes!("../assets/mark.svg");
const ROBOTS: &[u8] = b"User-agent: *\nDisallow: /\n";

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json; charset=utf-8";

/// A year, the longest that caches honour (RFC 9111 §5.2.2.1; `immutable` is RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const A_DAY: &str = "public, max-age=86400";
const ASKED_EACH_TIME: &str = "public, max-age=0, must-revalidate";
const NEVER: &str = "no-store";

/// One file as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Absolute path below the portal's prefix, beginning with `/`.
    pub path: String,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The content, not compressed.
    pub bytes: &'static [u8],
    /// Value of `ETag`, with its quotes (a strong tag, RFC 9110 §8.8.3).
    pub etag: String,
    /// Value of `Cache-Control`.
    pub cache_control: &'static str,
}

struct Table {
    found: [Asset; 7],
    /// What answers for another version's hash; see [`asset`].
    other_version: [Asset; 2],
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let style_sheet = Asset::named_by_content("/static/portal-", ".css", CSS, STYLE_SHEET);
    let mark = Asset::named_by_content("/static/mark-", ".svg", SVG, MARK);
    let [english, german, french] = Language::ALL.map(Asset::words);
    Table {
        other_version: [style_sheet.clone().never_kept(), mark.clone().never_kept()],
        found: [
            style_sheet,
            mark,
            Asset::new("/favicon.ico".to_owned(), SVG, MARK, A_DAY),
            Asset::new(
                "/robots.txt".to_owned(),
                "text/plain; charset=utf-8",
                ROBOTS,
                A_DAY,
            ),
            english,
            german,
            french,
        ],
    }
});

/// Every asset under its own path.
#[must_use]
pub fn assets() -> &'static [Asset] {
    &TABLE.found
}

/// The asset for a path below the portal's prefix (raw, without query).
///
/// A path that differs from ours only in its hash is answered with our content, not to be kept:
/// while a cluster is upgraded, a page of one version may fetch its style sheet from a node of
/// another, and a page in slightly different clothes is better than a naked one.
#[must_use]
pub fn asset(path: &str) -> Option<&'static Asset> {
    let table: &'static Table = &TABLE;
    table
        .found
        .iter()
        .find(|asset| asset.path == path)
        .or_else(|| {
            let mut others = table.other_version.iter();
            others.find(|asset| is_same_but_hash(&asset.path, path))
        })
}

/// Path of the style sheet.
pub(crate) fn style_sheet_path() -> &'static str {
    let [style_sheet, ..] = &TABLE.found;
    &style_sheet.path
}

/// Path of the icon.
pub(crate) fn mark_path() -> &'static str {
    let [_, mark, ..] = &TABLE.found;
    &mark.path
}

impl Asset {
    fn new(
        path: String,
        content_type: &'static str,
        bytes: &'static [u8],
        cache_control: &'static str,
    ) -> Self {
        let etag = format!("\"{}\"", hash8(bytes));
        Self {
            path,
            content_type,
            bytes,
            etag,
            cache_control,
        }
    }

    /// The words of a language; made once and never freed.
    fn words(language: Language) -> Self {
        let path = format!("/locales/{}/portal.json", language.code());
        let text: &'static str = language.words_as_json().leak();
        Self::new(path, JSON, text.as_bytes(), ASKED_EACH_TIME)
    }

    fn named_by_content(
        stem: &str,
        ending: &str,
        content_type: &'static str,
        bytes: &'static [u8],
    ) -> Self {
        let path = format!("{stem}{}{ending}", hash8(bytes));
        Self::new(path, content_type, bytes, FOR_EVER)
    }

    fn never_kept(self) -> Self {
        Self {
            cache_control: NEVER,
            ..self
        }
    }
}

/// The first 8 hexadecimal digits of the SHA-256 of `bytes`.
fn hash8(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether two paths are equal but for the 8 hexadecimal digits after the last hyphen.
fn is_same_but_hash(ours: &str, asked: &str) -> bool {
    match (split_hash(ours), split_hash(asked)) {
        (Some(ours), Some(asked)) => ours == asked,
        _ => false,
    }
}

/// What stands before and after the hash; `None` if there is none.
fn split_hash(path: &str) -> Option<(&str, &str)> {
    let (stem, rest) = path.rsplit_once('-')?;
    let (hash, ending) = rest.split_once('.')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some((stem, ending))
}

#[cfg(test)]
mod tests {
    use super::{FOR_EVER, NEVER, asset, assets, mark_path, style_sheet_path};

    #[test]
    fn every_asset_is_found_under_its_path() {
        for expect in assets() {
            assert_eq!(asset(&expect.path), Some(expect));
            assert!(!expect.bytes.is_empty());
            assert!(expect.etag.starts_with('"') && expect.etag.ends_with('"'));
        }
        assert_eq!(
            asset(style_sheet_path()).map(|a| a.content_type),
            Some("text/css; charset=utf-8")
        );
        assert_eq!(
            asset(mark_path()).map(|a| a.content_type),
            Some("image/svg+xml")
        );
        assert_eq!(asset(mark_path()).map(|a| a.cache_control), Some(FOR_EVER));
    }

    #[test]
    fn another_versions_hash_gets_our_content_but_is_not_kept() {
        let ours = asset(style_sheet_path()).expect("the style sheet is there");
        let other = asset("/static/portal-00000000.css").expect("another hash is answered");
        assert_eq!(other.bytes, ours.bytes);
        assert_eq!(other.etag, ours.etag);
        assert_eq!(other.cache_control, NEVER);
    }

    #[test]
    fn the_words_are_there_for_programs_in_every_language() {
        let german = asset("/locales/de/portal.json").expect("german");
        let text = String::from_utf8_lossy(german.bytes);
        assert!(
            text.starts_with('{') && text.contains("\"password\":\"Passwort\""),
            "{text}"
        );
        assert_eq!(asset("/locales/xx/portal.json"), None);
    }

    #[test]
    fn other_paths_are_not_found() {
        let cases = [
            "",
            "/",
            "/static/",
            "/static/portal.css",
            "/static/portal-.css",
            "/static/portal-0000000.css",
            "/static/portal-0000000g.css",
            "/static/portal-00000000.svg",
            "/static/portal-00000000.css/",
            "/static/../portal-00000000.css",
            "static/portal-00000000.css",
            "/favicon.svg",
            "/ROBOTS.TXT",
        ];
        for path in cases {
            assert_eq!(asset(path), None, "`{path}`");
        }
    }

    /// The style sheet may not fetch anything either, and a data URL would break the policy.
    #[test]
    fn no_asset_refers_to_another_place() {
        for asset in assets() {
            let text = std::str::from_utf8(asset.bytes).expect("assets are text");
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for banned in ["url(", "@import", "http", "<script", "<style", "style="] {
                assert!(!text.contains(banned), "`{banned}` in {}", asset.path);
            }
        }
    }
}
