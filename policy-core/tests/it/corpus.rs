//! Every input that fuzzing has kept, through the fuzz targets' own checks. `make fuzz` looks for new ones.

#[expect(clippy::expect_used, unreachable_pub, reason = "the fuzz crate's library, as it stands there")]
#[path = "../../../fuzz/src/lib.rs"]
mod checks;

use std::fs;
use std::path::Path;

/// The files of a folder, each by its name and bytes.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[expect(clippy::print_stdout, reason = "shown with a failure: the file that it is about")]
fn replay(folders: [&str; 2], check: fn(&[u8])) {
    let inputs: Vec<_> = folders.into_iter().flat_map(files).collect();
    assert!(inputs.len() >= 50, "a corpus of {} files shows nothing", inputs.len());
    for (name, bytes) in inputs {
        println!("{name}");
        check(&bytes);
    }
}

#[test]
fn every_payload_of_the_corpus_is_decoded_or_refused_with_the_same_result_each_time() {
    replay(["fuzz/corpus/payload", "events"], checks::payload);
}

#[test]
fn every_document_of_the_corpus_equals_its_normal_form_or_has_violations_at_existing_places() {
    replay(["fuzz/corpus/document", "events"], checks::document);
}
