//! From the text of a file to a located tree.
//!
//! `saphyr-parser` gives structure and positions; `serde_yaml` says what a plain scalar is (text, number, flag or
//! nothing). Each is used in this file alone. JSON is read as the YAML it is.
//!
//! Bounds: a file has at most [`BYTES_MAX`] bytes, [`DEPTH_MAX`] levels and, aliases written out, [`NODES_MAX`]
//! values, so that neither a wrong file nor a chain of aliases can fill the memory.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::filter::written_in;
use super::node::{Body, Entry, Node, Tone};
use super::place::{Findings, Place};

/// The longest file, in bytes. Authelia's full template has about 80 kB.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// The deepest nesting. The schema's deepest key has 7 levels.
const DEPTH_MAX: usize = 32;
/// The most values of one file once its aliases are written out.
const NODES_MAX: usize = 500_000;

/// Parses one document. `lines` says where each line was written, if `text` came out of a filter.
///
/// Mistakes go to `findings`; the tree is then as complete as it could be made, and must not be used for more than
/// finding further mistakes. An empty file is an empty map.
pub(crate) fn parse(
    text: &str,
    file: &str,
    lines: &[u32],
    findings: &mut Findings,
) -> Option<Node> {
    let file: Arc<str> = file.into();
    let whole = Place::whole(file.clone());
    if text.len() > BYTES_MAX {
        let message = format!("is {} bytes long; at most {BYTES_MAX} are read", text.len());
        findings.problem(
            &whole,
            "",
            message,
            "split the file or remove what is not needed",
        );
        return None;
    }
    // Some editors begin a file with a byte order mark; it is not part of the first key.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        file,
        text,
        lines,
        frames: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
        findings,
    };
    match builder.run() {
        Ok(()) => Some(builder.root.take().unwrap_or(Node {
            at: whole,
            body: Body::Map(Vec::new()),
        })),
        Err(Stop {
            place,
            message,
            advice,
        }) => {
            findings.problem(&place, "", message, advice);
            None
        }
    }
}

/// Why nothing after `place` can be read.
struct Stop {
    place: Place,
    message: String,
    advice: &'static str,
}

/// A list or map that is still open.
struct Frame {
    at: Place,
    anchor: usize,
    /// How many values were built before this one.
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// Where each key was first.
        seen: HashMap<String, Place>,
        /// The key whose value comes next.
        key: Option<(String, Place)>,
    },
}

struct Builder<'a> {
    file: Arc<str>,
    text: &'a str,
    lines: &'a [u32],
    frames: Vec<Frame>,
    /// Finished anchored values, with the number of values in each.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
    findings: &'a mut Findings,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let text = self.text;
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.broken(&error))?;
            let at = self.place(span.start);
            match event {
                Event::Scalar(value, style, anchor, tag) => {
                    let tagged = tag.as_deref();
                    self.scalar(at, &value, style, anchor, tagged)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.open(at, anchor, tag.as_deref(), Content::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    let content = Content::Map {
                        entries: Vec::new(),
                        seen: HashMap::new(),
                        key: None,
                    };
                    self.open(at, anchor, tag.as_deref(), content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::Alias(anchor) => self.alias(at, anchor)?,
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(Stop {
                        place: at,
                        message: "starts a second document".to_owned(),
                        advice: "put it into a file of its own and name both with --config",
                    });
                }
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn broken(&self, error: &ScanError) -> Stop {
        let line = self
            .text
            .lines()
            .nth(error.marker().line().saturating_sub(1));
        let advice = if line.is_some_and(|line| line.contains("{{")) {
            "for templates start with `--config.experimental.filters template`"
        } else if error.info().contains("anchor") {
            "quote a text that begins with `*` or `&`, such as `'*.example.com'`"
        } else {
            "look at this line and the one above: indentation, quotes, a missing colon"
        };
        Stop {
            place: self.place(*error.marker()),
            message: format!("is not YAML here: {}", error.info()),
            advice,
        }
    }

    fn place(&self, mark: Marker) -> Place {
        Place {
            file: self.file.clone(),
            line: written_in(
                self.lines,
                u32::try_from(mark.line()).unwrap_or(u32::MAX).max(1),
            ),
            column: u32::try_from(mark.col()).map_or(u32::MAX, |column| column.saturating_add(1)),
        }
    }

    fn count(&mut self, at: &Place, more: usize) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        Err(Stop {
            place: at.clone(),
            message: format!("holds more than {NODES_MAX} values once its aliases are written out"),
            advice: "remove aliases that repeat one another",
        })
    }

    fn scalar(
        &mut self,
        at: Place,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Stop> {
        self.count(&at, 1)?;
        self.refuse_tag(&at, tag);
        if let Some(Frame {
            content: Content::Map {
                key: key @ None, ..
            },
            ..
        }) = self.frames.last_mut()
        {
            *key = Some((text.to_owned(), at));
            return Ok(());
        }
        let is_str = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        let body = match style {
            ScalarStyle::Plain if !is_str => plain(text),
            _ => Body::Scalar {
                text: text.to_owned(),
                tone: Tone::Text,
            },
        };
        self.finish(Node { at, body }, anchor, 1);
        Ok(())
    }

    fn open(
        &mut self,
        at: Place,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), Stop> {
        self.count(&at, 1)?;
        self.refuse_tag(&at, tag);
        self.refuse_complex_key(&at)?;
        if self.frames.len() >= DEPTH_MAX {
            return Err(Stop {
                place: at,
                message: format!("is nested deeper than {DEPTH_MAX} levels"),
                advice: "no key is this deep; look for a missing line break or bracket",
            });
        }
        let nodes_before = self.nodes - 1;
        self.frames.push(Frame {
            at,
            anchor,
            nodes_before,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let body = match frame.content {
            Content::List(items) => Body::List(items),
            Content::Map { entries, .. } => Body::Map(self.merged(entries)),
        };
        let size = self.nodes.saturating_sub(frame.nodes_before);
        self.finish(Node { at: frame.at, body }, frame.anchor, size);
        Ok(())
    }

    fn alias(&mut self, at: Place, anchor: usize) -> Result<(), Stop> {
        self.refuse_complex_key(&at)?;
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Stop {
                place: at,
                message: "is an alias of the value it is part of".to_owned(),
                advice: "write the value out",
            });
        };
        let (node, size) = (node.clone(), *size);
        self.count(&at, size)?;
        self.finish(node, 0, size);
        Ok(())
    }

    /// Hands a finished value to whatever is open around it.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.frames.last_mut().map(|frame| &mut frame.content) {
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, seen, key }) => {
                let Some((name, at)) = key.take() else {
                    return;
                };
                let first = seen.get(&name).filter(|_| name != "<<").cloned();
                if let Some(first) = first {
                    let message = format!("is there twice, first in line {}", first.line);
                    let key = self.path(&name);
                    self.findings
                        .problem(&at, &key, message, "keep one of the two");
                    return;
                }
                seen.insert(name.clone(), at.clone());
                entries.push(Entry {
                    name,
                    at,
                    value: node,
                });
            }
            None => self.root = Some(node),
        }
    }

    /// The path of key `name` in the innermost open map.
    fn path(&self, name: &str) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.content {
                Content::List(items) => path.push_str(&format!("[{}]", items.len())),
                Content::Map {
                    key: Some((name, _)),
                    ..
                } => join(&mut path, name),
                Content::Map { key: None, .. } => {}
            }
        }
        join(&mut path, name);
        path
    }

    /// A list or map used as a key has no meaning in any file we read.
    fn refuse_complex_key(&self, at: &Place) -> Result<(), Stop> {
        match self.frames.last().map(|frame| &frame.content) {
            Some(Content::Map { key: None, .. }) => Err(Stop {
                place: at.clone(),
                message: "is used as a key, which must be plain text".to_owned(),
                advice: "write `key: value`; quote a value that begins with a brace or bracket",
            }),
            _ => Ok(()),
        }
    }

    fn refuse_tag(&mut self, at: &Place, tag: Option<&Tag>) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let message = format!("has the tag `{tag}`, which has no meaning here");
            self.findings.problem(at, "", message, "remove the tag");
        }
    }

    /// Carries out `<<`: keys of the referenced maps, where the map itself has none of that name.
    fn merged(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        while let Some(index) = entries.iter().position(|entry| entry.name == "<<") {
            let merge = entries.remove(index);
            let sources = match merge.value.body {
                Body::List(items) => items,
                _ => vec![merge.value],
            };
            for source in sources {
                if !matches!(source.body, Body::Map(_)) {
                    let message = "must be an alias of a section, or a list of them";
                    self.findings.problem(&source.at, "<<", message, "");
                    continue;
                }
                for entry in source.entries() {
                    if !entries.iter().any(|known| known.name == entry.name) {
                        entries.push(entry.clone());
                    }
                }
            }
        }
        entries
    }
}

fn join(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// What YAML takes an unquoted scalar for. The one place that asks `serde_yaml`.
fn plain(text: &str) -> Body {
    let tone = match serde_yaml::from_str::<serde_yaml::Value>(text) {
        Ok(serde_yaml::Value::Null) => return Body::Null,
        Ok(serde_yaml::Value::Bool(flag)) => Tone::Flag(flag),
        Ok(serde_yaml::Value::Number(number)) => Tone::Number(number.as_i64()),
        _ => Tone::Text,
    };
    let text = text.to_owned();
    Body::Scalar { text, tone }
}
