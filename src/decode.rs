//! Reads the bytes of a PNG, JPEG, BMP or TIFF file into grey values.
//!
//! Invariant: a grey value is the file's sample divided by the largest value its bit depth can hold;
//! no gamma, colour profile or stretch is applied. Unless another channel is chosen, the grey of a
//! coloured pixel is the largest of its R, G and B: an immunofluorescence picture shows one dye, in
//! one channel or as a grey copy in all three, and the maximum keeps the dye's samples exactly in both
//! cases. Alpha is ignored. No image larger than [`MAX_SIDE`] and [`MAX_PIXELS`] is allocated, whatever
//! a header claims.

mod samples;
mod tiff_page;

use std::io::{self, Cursor};

use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::grey::{percentile, shrink, shrunk_size};
use crate::{Error, GreyImage};
pub use samples::Channel;
use samples::{Area, Pixel, raise};

/// Longest side that is read, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels that are read.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;
/// Most bytes of samples that are decoded at once.
const MAX_ALLOCATION: u64 = 512 * 1024 * 1024;
/// Most bytes of what is no pixel: colour profiles and texts, which are ignored.
const MAX_METADATA: u64 = 16 * 1024 * 1024;
/// Most pixels that a byte of any readable file can stand for: a run-length BMP skips 255 x 255 pixels
/// by four bytes, everything else packs less. A file that claims more is cut, whatever it holds.
const MOST_PIXELS_A_BYTE: u64 = 255 * 255 / 4 + 1;

const KINDS: &str = "PNG, JPEG, BMP and TIFF are read";

/// What to read of a file that holds more than one grey picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Page of a TIFF, from 0 on.
    pub page: usize,
    /// Channel of a coloured picture.
    pub channel: Channel,
}

/// What a file offers to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Contents {
    /// Number of pages: 1 unless it is a TIFF with several.
    pub pages: usize,
    /// Whether the first page has red, green and blue.
    pub coloured: bool,
}

/// Reads an image file: the first page, the brightest channel. See [`decode_with`].
///
/// # Errors
/// Those of [`decode_with`].
pub fn decode(bytes: &[u8]) -> Result<GreyImage, Error> {
    decode_with(bytes, &DecodeOptions::default())
}

/// Reads one page and channel of an image file.
///
/// Read are PNG, JPEG, BMP and TIFF: grey, RGB or (but for TIFF) palette colours, with or without
/// alpha, 8 or 16 bits a sample, and 32-bit float grey TIFF whose values are already within 0 to 1.
///
/// # Errors
/// [`Error::Image`] for an empty, unknown, truncated, damaged, too large or unsupported file, and for a
/// page that it does not have.
pub fn decode_with(bytes: &[u8], options: &DecodeOptions) -> Result<GreyImage, Error> {
    match kind(bytes)? {
        Kind::Tiff => tiff_page::decode(bytes, options),
        Kind::Common(format) => {
            check_page(options.page, 1)?;
            decode_common(bytes, format, options.channel)
        }
    }
}

/// Reads from the headers of a file what there is to choose from.
///
/// # Errors
/// [`Error::Image`] for an empty, unknown or unsupported file and for a damaged or too large header.
pub fn contents(bytes: &[u8]) -> Result<Contents, Error> {
    match kind(bytes)? {
        Kind::Tiff => tiff_page::contents(bytes),
        Kind::Common(format) => {
            let coloured = header(bytes, format)?.color_type().has_color();
            Ok(Contents { pages: 1, coloured })
        }
    }
}

/// Which decoder reads a file.
enum Kind {
    Tiff,
    Common(ImageFormat),
}

fn kind(bytes: &[u8]) -> Result<Kind, Error> {
    if bytes.is_empty() {
        return Err(refuse("the file is empty (0 bytes): export or copy it again"));
    }
    let big_tiff = bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b");
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp)) => {
            Ok(Kind::Common(format))
        }
        Ok(ImageFormat::Tiff) => Ok(Kind::Tiff),
        _ if big_tiff => Ok(Kind::Tiff),
        Ok(other) => Err(refuse(format!(
            "this is a {other:?} file, which is not supported: {KINDS}; save it as one of these"
        ))),
        Err(_) => Err(refuse(format!("the file is no known image: {KINDS}"))),
    }
}

/// The decoder of a file whose header is read and whose size is checked.
fn header(bytes: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, Error> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_METADATA);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, bytes.len())?;
    if decoder.total_bytes() > MAX_ALLOCATION {
        return Err(too_large(format!("{width} x {height} pixels of this depth")));
    }
    Ok(decoder)
}

fn decode_common(bytes: &[u8], format: ImageFormat, channel: Channel) -> Result<GreyImage, Error> {
    // The JPEG decoder paints the missing part of a cut file grey instead of failing.
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(truncated());
    }
    let picture = DynamicImage::from_decoder(header(bytes, format)?).map_err(explain)?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let colour = picture.color();
    let samples = usize::from(colour.channel_count());
    let pixel = Pixel { samples, colours: if colour.has_color() { 3 } else { 1 } };
    let wanted = pixel.wanted(channel);
    let whole = Area { left: 0, top: 0, width };
    let mut grey = vec![0.0; width * height];
    match (picture.as_flat_samples_u8(), picture.as_flat_samples_u16()) {
        (Some(p), _) => raise(&mut grey, width, whole, p.samples, samples, wanted, u8::MAX.into()),
        (_, Some(p)) => raise(&mut grey, width, whole, p.samples, samples, wanted, u16::MAX),
        _ => return Err(unsupported(&format!("{colour:?}"))),
    }
    GreyImage::new(width, height, grey)
}

/// Whether the last scan of a JPEG file is closed by an end-of-image marker.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    matches!((last(0xda), last(0xd9)), (Some(scan), Some(end)) if end > scan)
}

/// Refuses a size that is too large, or that a file of `len` bytes cannot fill.
fn check_size(width: u32, height: u32, len: usize) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(damaged(&format!("it claims {width} x {height} pixels")));
    }
    let pixels = u64::from(width) * u64::from(height);
    if width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(too_large(format!("{width} x {height} pixels")));
    }
    if pixels > MOST_PIXELS_A_BYTE * len as u64 {
        return Err(truncated());
    }
    Ok(())
}

fn check_page(page: usize, pages: usize) -> Result<(), Error> {
    if page < pages {
        return Ok(());
    }
    Err(refuse(match pages {
        1 => format!("page {} was asked for, the file holds a single one", page + 1),
        _ => {
            format!("page {} was asked for, the file holds {pages}: choose 1 to {pages}", page + 1)
        }
    }))
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
