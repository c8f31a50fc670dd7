//! Reads the first page of a TIFF file into grey values.
//!
//! Invariant: the size in the header is checked before anything of that size is allocated.

use std::io::{self, Cursor};

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::{MAX_ALLOCATION, check_size, damaged, too_large, truncated, unsupported};
use crate::{Error, GreyImage};

/// Reads the first page: 8- or 16-bit grey or RGB with or without alpha, interleaved or in planes, and
/// 32-bit float grey within 0 to 1. Grey that is stored inverted (WhiteIsZero) is turned upright.
pub(super) fn decode(bytes: &[u8]) -> Result<GreyImage, Error> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_ALLOCATION as usize;
    limits.intermediate_buffer_size = MAX_ALLOCATION as usize / 4;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(explain)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(explain)?;
    check_size(width, height)?;

    let kind = decoder.colortype().map_err(explain)?;
    let (samples, colours) = match kind {
        ColorType::Gray(8 | 16 | 32) => (1, 1),
        ColorType::GrayA(8 | 16) => (2, 1),
        ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 }
            if matches!(decoder.find_tag(Tag::ExtraSamples), Ok(Some(_))) =>
        {
            (2, 1)
        }
        ColorType::RGB(8 | 16) => (3, 3),
        ColorType::RGBA(8 | 16) => (4, 3),
        other => return Err(unsupported(&describe(other))),
    };

    let mut data = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut data).map_err(explain)?;
    let page = Page { pixels: width as usize * height as usize, samples, colours };
    let in_planes = layout.planes > 1;
    let grey = match data {
        DecodingResult::U8(values) => page.grey(&values, in_planes, u8::MAX.into()),
        DecodingResult::U16(values) => page.grey(&values, in_planes, u16::MAX),
        DecodingResult::F32(values) if samples == 1 => Ok(values),
        _ => {
            return Err(unsupported(&format!("{} with signed samples", describe(kind))));
        }
    }?;
    if let Some(bad) = grey.iter().find(|v| !(0.0..=1.0).contains(*v)) {
        return Err(unsupported(&format!("32-bit float with a value of {bad} (outside 0 to 1)")));
    }
    GreyImage::new(width as usize, height as usize, grey)
}

/// The samples of one page, colours before alpha.
struct Page {
    pixels: usize,
    samples: usize,
    colours: usize,
}

impl Page {
    /// Largest colour of every pixel, divided by `full`.
    fn grey<S: Copy + Into<u16>>(
        &self,
        values: &[S],
        in_planes: bool,
        full: u16,
    ) -> Result<Vec<f32>, Error> {
        if values.len() != self.pixels * self.samples {
            return Err(damaged("it holds fewer samples than its size says"));
        }
        let (step, stride) = if in_planes { (1, self.pixels) } else { (self.samples, 1) };
        let largest = |pixel: usize| {
            let colours = (0..self.colours).map(|c| values[pixel * step + c * stride].into());
            colours.max().unwrap_or(0)
        };
        Ok((0..self.pixels).map(|p| f32::from(largest(p)) / f32::from(full)).collect())
    }
}

fn describe(kind: ColorType) -> String {
    let name = match kind {
        ColorType::Gray(_) => "grey",
        ColorType::GrayA(_) => "grey with alpha",
        ColorType::RGB(_) => "RGB",
        ColorType::RGBA(_) => "RGBA",
        ColorType::Palette(_) => "palette colour",
        ColorType::CMYK(_) | ColorType::CMYKA(_) => "CMYK",
        ColorType::YCbCr(_) => "YCbCr",
        ColorType::Lab(_) => "Lab",
        ColorType::Multiband { num_samples, .. } => {
            return format!("TIFF, {num_samples} channels of {} bit", kind.bit_depth());
        }
        _ => "unknown colour",
    };
    format!("TIFF, {}-bit {name}", kind.bit_depth())
}

fn explain(error: TiffError) -> Error {
    match error {
        TiffError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => truncated(),
        TiffError::LimitsExceeded | TiffError::IntSizeError => too_large("by the memory it needs"),
        TiffError::UnsupportedError(e) => unsupported(&format!("TIFF, {e}")),
        other => damaged(&other.to_string()),
    }
}
