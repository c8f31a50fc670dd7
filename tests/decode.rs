//! Every readable kind of image file against what tifffile, libpng, libjpeg and Pillow read from it.
//!
//! `fixtures/decode/make.py` wrote the files and the levels.

mod common;

use common::{Index, fixture};
use mitoscope::Error;
use mitoscope::decode::{Channel, Contents, DecodeOptions, contents, decode, decode_with};

#[test]
fn levels_are_those_of_the_reference_decoders() {
    let index = Index::read();
    let mut wrong = Vec::new();
    for case in &index.cases {
        let channel: Channel = case.channel.parse().expect("a channel");
        let expected = &index.pictures[case.picture];
        let bytes = fixture("files", &case.file);
        let name = format!("{} page {} {}", case.file, case.page, case.channel);
        let image = match decode_with(&bytes, &DecodeOptions { page: case.page, channel }) {
            Ok(image) => image,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let full = expected.full as f32;
        if (image.width(), image.height()) != (expected.width, expected.height) {
            wrong.push(format!("{name}: {} x {} pixels", image.width(), image.height()));
            continue;
        }
        let levels = image.pixels().iter().map(|v| (v * full).round() as i64);
        let difference = levels.zip(&expected.levels).map(|(v, e)| (v - e).abs()).max();
        let difference = difference.expect("pixels");
        // What is lossless must be the very quotient, not just near it.
        let quotients = expected.levels.iter().map(|level| *level as f32 / full);
        let exact = case.tolerance > 0 || image.pixels().iter().copied().eq(quotients);
        if difference > case.tolerance || !exact {
            wrong.push(format!("{name}: differs by {difference} levels"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), index.cases.len(), wrong.join("\n"));
    let mut files: Vec<_> = index.cases.iter().map(|case| case.file.as_str()).collect();
    files.dedup();
    assert!(files.len() >= 60, "{} files", files.len());
}

#[test]
fn pages_and_colours_are_told_before_decoding() {
    let cases = [
        ("grey8.png", 1, false),
        ("rgb16.png", 1, true),
        ("palette8.png", 1, true),
        ("rgb24.bmp", 1, true),
        ("grey.jpg", 1, false),
        ("rgb-444.jpg", 1, true),
        ("grey16-le-lzw.tif", 1, false),
        ("rgb8-be-planes.tif", 1, true),
        ("pages3-grey16-le.tif", 3, false),
        ("pages3-grey16-be-big.tif", 3, false),
        ("pages2-rgb8.tif", 2, true),
    ];
    for (name, pages, coloured) in cases {
        let told = contents(&fixture("files", name)).expect(name);
        assert_eq!(told, Contents { pages, coloured }, "{name}");
    }
    assert!(contents(&fixture("refused", "grey.gif")).is_err());
}

#[test]
fn unsupported_kinds_and_cut_files_are_refused_in_words() {
    let index = Index::read();
    for refused in &index.refused {
        let result = decode(&fixture("refused", &refused.file));
        let Err(Error::Image(text)) = result else {
            panic!("{} was read", refused.file);
        };
        for word in &refused.words {
            assert!(text.contains(word), "{}: {text:?} does not tell {word:?}", refused.file);
        }
    }
    assert!(index.refused.len() >= 12);
}

#[test]
fn a_page_that_is_not_there_is_named_with_those_that_are() {
    let page = |name: &str, page| {
        let options = DecodeOptions { page, ..DecodeOptions::default() };
        match decode_with(&fixture("files", name), &options) {
            Err(Error::Image(text)) => text,
            other => panic!("an image error was expected, not {other:?}"),
        }
    };
    let text = page("pages3-grey16-le.tif", 3);
    assert!(text.contains("page 4") && text.contains("choose 1 to 3"), "{text}");
    assert!(page("grey8.png", 1).contains("page 2 was asked for, the file holds a single one"));
    assert!(page("grey16-le-lzw.tif", 9).contains("page 10"));
}

#[test]
fn a_circle_of_pages_is_damage() {
    let mut bytes = fixture("files", "pages2-sizes.tif");
    // The second directory's link to a next one, which is none, is made to lead to the first.
    let word = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
    };
    let first = word(&bytes, 4);
    let link = |bytes: &[u8], at: usize| at + 2 + 12 * usize::from(bytes[at]);
    let second = word(&bytes, link(&bytes, first));
    let end = link(&bytes, second);
    assert_eq!(word(&bytes, end), 0);
    bytes[end..end + 4].copy_from_slice(&(first as u32).to_le_bytes());
    assert!(matches!(contents(&bytes), Err(Error::Image(text)) if text.contains("circle")));
    assert!(decode(&bytes).is_ok(), "the first page is still there");
}

#[test]
fn channels_have_names() {
    assert_eq!("green".parse(), Ok(Channel::Green));
    assert_eq!(Channel::default(), Channel::Brightest);
    assert!(
        matches!("fitc".parse::<Channel>(), Err(Error::Image(text)) if text.contains("'fitc'"))
    );
}
