//! Reads the bytes of a PNG, JPEG, BMP or TIFF file into grey values.
//!
//! Invariant: a grey value is the file's sample divided by the largest value its bit depth can hold;
//! no gamma, colour profile or stretch is applied. The grey of a coloured pixel is the largest of its
//! R, G and B: an immunofluorescence picture shows one dye, in one channel or as a grey copy in all
//! three, and the maximum keeps the dye's samples exactly in both cases. Alpha is ignored. No image
//! larger than [`MAX_SIDE`] and [`MAX_PIXELS`] is allocated, whatever a header claims.

mod tiff_page;

use std::io::{self, Cursor};

use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::grey::{percentile, shrink, shrunk_size};
use crate::{Error, GreyImage};

/// Longest side that is read, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels that are read.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;
/// Most bytes a decoder may hold at once.
const MAX_ALLOCATION: u64 = 512 * 1024 * 1024;

const KINDS: &str = "PNG, JPEG, BMP and TIFF are read";

/// Reads an image file; of a TIFF with several pages, the first.
///
/// Read are PNG, JPEG, BMP and TIFF: grey or RGB, with or without alpha, 8 or 16 bits a sample, and
/// 32-bit float grey TIFF whose values are already within 0 to 1.
///
/// # Errors
/// [`Error::Image`] for an empty, unknown, truncated, damaged, too large or unsupported file.
pub fn decode(bytes: &[u8]) -> Result<GreyImage, Error> {
    if bytes.is_empty() {
        return Err(refuse("the file is empty (0 bytes): export or copy it again"));
    }
    let big_tiff = bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b");
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp)) => {
            decode_common(bytes, format)
        }
        Ok(ImageFormat::Tiff) => tiff_page::decode(bytes),
        _ if big_tiff => tiff_page::decode(bytes),
        Ok(other) => Err(refuse(format!(
            "this is a {other:?} file, which is not supported: {KINDS}; save it as one of these"
        ))),
        Err(_) => Err(refuse(format!("the file is no known image: {KINDS}"))),
    }
}

fn decode_common(bytes: &[u8], format: ImageFormat) -> Result<GreyImage, Error> {
    // The JPEG decoder paints the missing part of a cut file grey instead of failing.
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(truncated());
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOCATION);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MAX_ALLOCATION {
        return Err(too_large(format!("{width} x {height} pixels of this depth")));
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(explain)?;
    let (eight, sixteen) = (u16::from(u8::MAX), u16::MAX);
    let pixels = match picture {
        DynamicImage::ImageLuma8(p) => grey(&p, Pixel { samples: 1, colours: 1 }, eight),
        DynamicImage::ImageLumaA8(p) => grey(&p, Pixel { samples: 2, colours: 1 }, eight),
        DynamicImage::ImageRgb8(p) => grey(&p, Pixel { samples: 3, colours: 3 }, eight),
        DynamicImage::ImageRgba8(p) => grey(&p, Pixel { samples: 4, colours: 3 }, eight),
        DynamicImage::ImageLuma16(p) => grey(&p, Pixel { samples: 1, colours: 1 }, sixteen),
        DynamicImage::ImageLumaA16(p) => grey(&p, Pixel { samples: 2, colours: 1 }, sixteen),
        DynamicImage::ImageRgb16(p) => grey(&p, Pixel { samples: 3, colours: 3 }, sixteen),
        DynamicImage::ImageRgba16(p) => grey(&p, Pixel { samples: 4, colours: 3 }, sixteen),
        other => return Err(unsupported(&format!("{:?}", other.color()))),
    };
    GreyImage::new(width as usize, height as usize, pixels)
}

/// How the interleaved samples of one pixel are laid out: the colours first, then alpha.
#[derive(Clone, Copy)]
struct Pixel {
    samples: usize,
    colours: usize,
}

/// Largest colour of every pixel, divided by `full`.
fn grey<S: Copy + Ord + Into<u16>>(samples: &[S], pixel: Pixel, full: u16) -> Vec<f32> {
    let full = f32::from(full);
    let largest = |p: &[S]| p[..pixel.colours].iter().copied().max().map_or(0, Into::into);
    samples.chunks_exact(pixel.samples).map(|p| f32::from(largest(p)) / full).collect()
}

/// Whether the last scan of a JPEG file is closed by an end-of-image marker.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    matches!((last(0xda), last(0xd9)), (Some(scan), Some(end)) if end > scan)
}

fn check_size(width: u32, height: u32) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(damaged(&format!("it claims {width} x {height} pixels")));
    }
    let pixels = u64::from(width) * u64::from(height);
    if width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(too_large(format!("{width} x {height} pixels")));
    }
    Ok(())
}

fn refuse(text: impl Into<String>) -> Error {
    Error::Image(text.into())
}

fn truncated() -> Error {
    refuse("the image file ends too early: it is truncated, copy or export it again")
}

fn damaged(detail: &str) -> Error {
    refuse(format!("the image file is damaged ({detail}): copy or export it again"))
}

fn too_large(what: impl std::fmt::Display) -> Error {
    refuse(format!(
        "the image is too large ({what}): at most {MAX_SIDE} pixels a side and {} million pixels are \
         read; crop it or save it smaller",
        MAX_PIXELS / 1_000_000
    ))
}

fn unsupported(what: &str) -> Error {
    refuse(format!(
        "pixels of the kind {what} are not supported: save the image as 8- or 16-bit grey or RGB"
    ))
}

fn explain(error: ImageError) -> Error {
    match error {
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => truncated(),
        ImageError::Limits(e) if e.kind() == LimitErrorKind::DimensionError => {
            too_large("by its header")
        }
        ImageError::Limits(_) => too_large("by the memory it needs"),
        ImageError::Unsupported(e) => unsupported(&e.to_string()),
        other => damaged(&other.to_string()),
    }
}

/// A small display copy of an image; never measure on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Red, green, blue and alpha of every pixel, row by row; grey and opaque.
    pub rgba: Vec<u8>,
}

/// Scales an image down to `max_side` pixels by area averaging and stretches its 1 to 99.8 % range to
/// black and white. For display only.
pub fn preview(image: &GreyImage, max_side: usize) -> Preview {
    let size = (image.width(), image.height());
    let (width, height) = shrunk_size(size.0, size.1, max_side.max(1));
    let small = shrink(image.pixels(), size, (width, height));
    let mut ranked = small.clone();
    let black = percentile(&mut ranked, 1.0);
    let range = (percentile(&mut ranked, 99.8) - black).max(f32::EPSILON);
    let byte = |v: f32| ((v - black) / range * 255.0).clamp(0.0, 255.0).round() as u8;
    let rgba = small.into_iter().map(byte).flat_map(|g| [g, g, g, 255]).collect();
    Preview { width, height, rgba }
}

#[cfg(test)]
mod tests;
