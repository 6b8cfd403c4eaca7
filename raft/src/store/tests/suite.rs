//! openraft's own storage suite.

use openraft::StorageError;
use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::*;

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError<u64>> {
        let dir = TempDir::new().unwrap();
        let opened = open_n1(dir.path()).unwrap();
        // The suite purges and skips entries without any snapshot, which openraft never does.
        opened.machine.pretend_covered();
        Ok((dir, opened.log, opened.machine))
    }
}

#[test]
fn the_store_passes_the_suite_of_openraft() {
    Suite::test_all(Builder).unwrap();
}
