use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use tiff::encoder::colortype::{Gray8, Gray16, Gray32Float, RGB8, RGBA16};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::Tag;

use super::*;

const SIZE: (u32, u32) = (7, 5);

fn write(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("an image in memory can be written");
    bytes.into_inner()
}

fn tiff_bytes<C: tiff::encoder::colortype::ColorType>(samples: &[C::Inner]) -> Vec<u8>
where
    [C::Inner]: TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("encoder");
    encoder.write_image::<C>(SIZE.0, SIZE.1, samples).expect("page");
    bytes.into_inner()
}

fn ramp16() -> Vec<u16> {
    (0..35u16).map(|i| i * 1871 + 3).collect()
}

fn error_text(bytes: &[u8]) -> String {
    match decode(bytes) {
        Err(Error::Image(text)) => text,
        other => panic!("an image error was expected, not {other:?}"),
    }
}

fn check_exact(bytes: &[u8], expected: &[u16], full: f32) {
    let image = decode(bytes).expect("readable");
    assert_eq!((image.width(), image.height()), (7, 5));
    let expected: Vec<f32> = expected.iter().map(|v| f32::from(*v) / full).collect();
    assert_eq!(image.pixels(), expected);
}

#[test]
fn sixteen_bits_survive_exactly() {
    let buffer = ImageBuffer::<Luma<u16>, _>::from_raw(7, 5, ramp16()).expect("size");
    check_exact(&write(&buffer.into(), ImageFormat::Png), &ramp16(), 65535.0);
    check_exact(&tiff_bytes::<Gray16>(&ramp16()), &ramp16(), 65535.0);
}

#[test]
fn colour_gives_its_largest_channel_and_alpha_nothing() {
    let rgb: Vec<u8> = (0..35u8).flat_map(|i| [i, 2 * i, 3]).collect();
    let largest: Vec<u16> = (0..35u16).map(|i| (2 * i).max(3)).collect();
    let buffer = ImageBuffer::<Rgb<u8>, _>::from_raw(7, 5, rgb.clone()).expect("size");
    check_exact(&write(&buffer.clone().into(), ImageFormat::Png), &largest, 255.0);
    check_exact(&write(&buffer.into(), ImageFormat::Bmp), &largest, 255.0);
    check_exact(&tiff_bytes::<RGB8>(&rgb), &largest, 255.0);

    let rgba: Vec<u16> = (0..35u16).flat_map(|i| [5, i, 7 * i, 65535 - i]).collect();
    let largest: Vec<u16> = (0..35u16).map(|i| (7 * i).max(5)).collect();
    let buffer = ImageBuffer::<Rgba<u16>, _>::from_raw(7, 5, rgba.clone()).expect("size");
    check_exact(&write(&buffer.into(), ImageFormat::Png), &largest, 65535.0);
    check_exact(&tiff_bytes::<RGBA16>(&rgba), &largest, 65535.0);
}

#[test]
fn jpeg_is_read_and_a_cut_one_refused() {
    let flat = ImageBuffer::<Luma<u8>, _>::from_pixel(64, 64, Luma([120]));
    let bytes = write(&flat.into(), ImageFormat::Jpeg);
    let image = decode(&bytes).expect("readable");
    assert!(image.pixels().iter().all(|v| (v - 120.0 / 255.0).abs() < 0.01));
    assert!(error_text(&bytes[..bytes.len() - 4]).contains("truncated"));
}

#[test]
fn white_is_zero_is_inverted() {
    let samples: Vec<u8> = (0..35).collect();
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("encoder");
    let mut page = encoder.new_image::<Gray8>(7, 5).expect("page");
    page.encoder().write_tag(Tag::PhotometricInterpretation, 0u16).expect("tag");
    page.write_data(&samples).expect("data");
    let inverted: Vec<u16> = (0..35).map(|i| 255 - i).collect();
    check_exact(&bytes.into_inner(), &inverted, 255.0);
}

#[test]
fn float_within_range_is_kept_and_beyond_refused() {
    let samples: Vec<f32> = (0..35).map(|i| i as f32 / 34.0).collect();
    let image = decode(&tiff_bytes::<Gray32Float>(&samples)).expect("readable");
    assert_eq!(image.pixels(), samples);
    for bad in [f32::NAN, 1.5, -0.1] {
        let mut samples = samples.clone();
        samples[3] = bad;
        assert!(error_text(&tiff_bytes::<Gray32Float>(&samples)).contains("outside 0 to 1"));
    }
}

#[test]
fn empty_unknown_and_foreign_files_are_named() {
    assert!(error_text(&[]).contains("empty"));
    assert!(error_text(b"label,x,y\nmitotic,1,2\n").contains("PNG, JPEG, BMP and TIFF"));
    assert!(error_text(b"GIF89a\x01\0\x01\0").contains("Gif"));
}

#[test]
fn cut_files_are_called_truncated() {
    let tiff = tiff_bytes::<Gray16>(&ramp16());
    let buffer = ImageBuffer::<Luma<u16>, _>::from_raw(7, 5, ramp16()).expect("size");
    let bmp_buffer = ImageBuffer::<Luma<u8>, _>::from_pixel(7, 5, Luma([9u8]));
    let png = write(&buffer.into(), ImageFormat::Png);
    let bmp = write(&bmp_buffer.into(), ImageFormat::Bmp);
    for bytes in [&tiff, &png, &bmp] {
        for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() * 4 / 5] {
            error_text(&bytes[..cut]);
        }
    }
    assert!(error_text(&png[..png.len() / 2]).contains("truncated"));
    assert!(error_text(&tiff[..tiff.len() - 6]).contains("truncated"));
}

#[test]
fn a_header_that_claims_too_much_is_refused_before_allocating() {
    // 40000 x 40000 pixels: the size stands at fixed places of a BMP header.
    let small = ImageBuffer::<Luma<u8>, _>::from_pixel(7, 5, Luma([9u8]));
    let mut bmp = write(&small.into(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&40_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&40_000u32.to_le_bytes());
    assert!(error_text(&bmp).contains("too large"));

    // A single-strip TIFF: replace width and height entries (tags 256 and 257) of the directory.
    let mut tiff = tiff_bytes::<Gray8>(&[0; 35]);
    for tag in [256u16, 257] {
        let entry = tag.to_le_bytes();
        let at = tiff
            .windows(4)
            .position(|w| w[..2] == entry && [[3, 0], [4, 0]].contains(&[w[2], w[3]]));
        let at = at.expect("entry") + 8;
        tiff[at..at + 4].copy_from_slice(&12_000u32.to_le_bytes());
    }
    let text = error_text(&tiff);
    assert!(text.contains("12000 x 12000"), "{text}");
}

#[test]
fn damaged_bytes_never_panic() {
    let rgb: Vec<u8> = (0..105).collect();
    let buffer = ImageBuffer::<Rgb<u8>, _>::from_raw(7, 5, rgb.clone()).expect("size");
    let picture = DynamicImage::from(buffer);
    let mut files = vec![tiff_bytes::<RGB8>(&rgb), tiff_bytes::<Gray16>(&ramp16())];
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Jpeg] {
        files.push(write(&picture, format));
    }
    for file in files {
        for at in 0..file.len().min(400) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bad = file.clone();
                bad[at] = value;
                let _ = decode(&bad);
            }
        }
    }
}

#[test]
fn preview_stretches_and_shrinks() {
    let pixels = (0..200 * 100).map(|i| (i % 200) as f32 / 2000.0).collect();
    let image = GreyImage::new(200, 100, pixels).expect("size");
    let small = preview(&image, 50);
    assert_eq!((small.width, small.height, small.rgba.len()), (50, 25, 50 * 25 * 4));
    assert_eq!((small.rgba[0], small.rgba[3]), (0, 255));
    assert_eq!(small.rgba[49 * 4], 255);
    let flat = GreyImage::new(3, 3, vec![0.5; 9]).expect("size");
    assert_eq!(preview(&flat, 100).rgba.len(), 36);
}
