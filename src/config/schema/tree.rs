//! The table of keys as a tree, for walking beside a file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Block, Kind, block, schema};

/// What may stand at one place. Exactly one of `kind`, `item`, `names` or `any` says what.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// A value.
    pub(crate) kind: Option<Kind>,
    /// A list of these.
    pub(crate) item: Option<Box<Branch>>,
    /// A section with these keys.
    pub(crate) names: BTreeMap<&'static str, Branch>,
    /// A section with keys of the operator's choice.
    pub(crate) any: Option<Box<Branch>>,
    /// What becomes of the section that begins here.
    pub(crate) block: Option<&'static Block>,
}

static ROOT: LazyLock<Branch> = LazyLock::new(|| {
    let mut root = Branch::default();
    for key in schema() {
        let mut branch = &mut root;
        let mut rest = key.path;
        while !rest.is_empty() {
            let (segment, tail) = rest.split_once('.').unwrap_or((rest, ""));
            let name = segment.trim_end_matches("[]");
            branch = match name {
                "*" => branch.any.get_or_insert_default(),
                _ => branch.names.entry(name).or_default(),
            };
            for _ in 0..(segment.len() - name.len()) / 2 {
                branch = branch.item.get_or_insert_default();
            }
            rest = tail;
        }
        branch.kind = Some(key.kind);
    }
    for block in block::BLOCKS {
        let mut branch = Some(&mut root);
        for name in block.path.split('.') {
            branch = branch.and_then(|branch| branch.names.get_mut(name));
        }
        if let Some(branch) = branch {
            branch.block = Some(block);
        }
    }
    root
});

/// The whole tree.
pub(crate) fn root() -> &'static Branch {
    &ROOT
}
