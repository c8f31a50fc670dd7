//! What the tests of the decoder share: the image files that a script made and what is known of them.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The levels that a reference decoder read.
#[derive(Deserialize)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub full: i64,
    pub levels: Vec<i64>,
}

/// One page and channel of a file, with the picture it must give.
#[derive(Deserialize)]
pub struct Case {
    pub file: String,
    pub page: usize,
    pub channel: String,
    pub picture: usize,
    pub tolerance: i64,
}

/// A file that is refused, with words of the reason.
#[derive(Deserialize)]
pub struct Refused {
    pub file: String,
    pub words: Vec<String>,
}

/// A file that claims more than it holds.
#[derive(Deserialize)]
pub struct Bomb {
    pub file: String,
    /// Whether the picture itself is the bomb, instead of something beside it.
    pub refused: bool,
}

#[derive(Deserialize)]
pub struct Index {
    pub pictures: Vec<Picture>,
    pub cases: Vec<Case>,
    pub refused: Vec<Refused>,
    pub bombs: Vec<Bomb>,
}

impl Index {
    pub fn read() -> Self {
        let text = fs::read(folder().join("index.json")).expect("index.json");
        serde_json::from_slice(&text).expect("an index")
    }
}

pub fn fixture(kind: &str, name: &str) -> Vec<u8> {
    fs::read(folder().join(kind).join(name)).expect(name)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/decode")
}
