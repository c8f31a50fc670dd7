//! Reads one page of a TIFF file into grey values.
//!
//! Invariant: the size in the header is checked before anything of that size is allocated, and the bytes that are read
//! are at most twice those of the file, but for pixels stored as they are.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::{IfdPointer, PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError, TiffUnsupportedError};

use super::samples::{Area, Pixel, raise};
use super::{
    Contents, DecodeOptions, MAX_ALLOCATION, MAX_SIDE, check_page, check_size, damaged, too_large,
    truncated, unsupported,
};
use crate::{Error, GreyImage};

type Reader<'a> = Decoder<Bounded<'a>>;

/// A file that seems to end earlier: compressed data end by themselves, wherever the file says that they do.
struct Bounded<'a> {
    bytes: Cursor<&'a [u8]>,
    end: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.bytes.position());
        self.bytes.by_ref().take(left).read(buffer)
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// Reads a page: 8- or 16-bit grey or RGB with or without alpha, interleaved or in planes, and 32-bit
/// float grey within 0 to 1. Grey that is stored inverted (WhiteIsZero) is turned upright.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<GreyImage, Error> {
    let mut decoder = open(bytes)?;
    if options.page > 0 {
        check_page(options.page, count_pages(&mut decoder, bytes.len())?)?;
        decoder.seek_to_image(options.page).map_err(explain)?;
    }
    let (width, height) = decoder.dimensions().map_err(explain)?;
    check_size(width, height, bytes.len())?;
    let kind = decoder.colortype().map_err(explain)?;
    let pixel = pixel(kind, &mut decoder).ok_or_else(|| unsupported(&describe(kind)))?;
    let planes = decoder.image_buffer_layout().map_err(explain)?.planes;
    if planes == 1 && has_mixed_up_samples(&mut decoder, pixel)? {
        return Err(unsupported(&format!(
            "{} with a further channel and a predictor",
            describe(kind)
        )));
    }
    let parts = Parts::of(&decoder, (width, height))?;
    let ends = ends(&mut decoder, bytes.len())?;

    let (width, height) = (width as usize, height as usize);
    let mut grey = vec![0.0f32; width * height];
    // Samples in planes of their own are read one by one, those side by side all at once.
    let wanted = pixel.wanted(options.channel);
    let (planes, samples, wanted) =
        if planes > 1 { (wanted, 1, 0..1) } else { (0..1, pixel.samples, wanted) };
    let mut data = DecodingResult::U8(Vec::new());
    for (plane, part) in planes.flat_map(|plane| (0..parts.count()).map(move |part| (plane, part)))
    {
        // Part by part, each with its padding: the decoder's way to read a whole image fails on
        // planes of tiles, and its way to leave the padding out fails on LZW.
        let index = (plane * parts.count() + part) as u32;
        let row_bytes = parts.width * samples * usize::from(kind.bit_depth()) / 8;
        decoder.inner().end = ends.get(index as usize).copied().unwrap_or(u64::MAX);
        decoder.read_chunk_to_buffer(&mut data, index, row_bytes).map_err(explain)?;
        let area = parts.area(part);
        let wanted = wanted.clone();
        match &data {
            DecodingResult::U8(v) => {
                raise(&mut grey, width, area, v, samples, wanted, u8::MAX.into());
            }
            DecodingResult::U16(v) => raise(&mut grey, width, area, v, samples, wanted, u16::MAX),
            DecodingResult::F32(v) if pixel.samples == 1 => {
                if let Some(bad) = v.iter().find(|v| !(0.0..=1.0).contains(*v)) {
                    let what = format!("32-bit float with a value of {bad} (outside 0 to 1)");
                    return Err(unsupported(&what));
                }
                let rows = grey.chunks_exact_mut(width).skip(area.top);
                for (row, values) in rows.zip(v.chunks_exact(area.width)) {
                    row[area.left..].iter_mut().zip(values).for_each(|(grey, v)| *grey = *v);
                }
            }
            other => {
                let what = format!("{} with {} samples", describe(kind), form(other));
                return Err(unsupported(&what));
            }
        }
    }
    GreyImage::new(width, height, grey)
}

/// Where every compressed strip or tile ends; in all they may be no longer than twice the file of so many bytes, since
/// some share what they have in common. None where pixels are stored as they are, whatever lengths are told.
fn ends(decoder: &mut Reader, length: usize) -> Result<Vec<u64>, Error> {
    const STORED: u16 = 1;
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(explain)?;
    if compression.is_none_or(|method| method == STORED) {
        return Ok(Vec::new());
    }
    let tags = match decoder.get_chunk_type() {
        ChunkType::Strip => [Tag::StripOffsets, Tag::StripByteCounts],
        ChunkType::Tile => [Tag::TileOffsets, Tag::TileByteCounts],
    };
    let [offsets, counts] = tags.map(|tag| decoder.get_tag_u64_vec(tag).map_err(explain));
    let (offsets, counts) = (offsets?, counts?);
    let all = counts.iter().fold(0u64, |all, count| all.saturating_add(*count));
    if all > 2 * length as u64 {
        return Err(damaged("its strips or tiles overlap"));
    }
    Ok(offsets.into_iter().zip(counts).map(|(at, count)| at.saturating_add(count)).collect())
}

/// The strips or tiles of one plane, in rows from the top left on.
struct Parts {
    width: usize,
    height: usize,
    across: usize,
    down: usize,
}

impl Parts {
    fn of(decoder: &Reader, (width, height): (u32, u32)) -> Result<Self, Error> {
        let (part_width, part_height) = decoder.chunk_dimensions();
        let part_height = match decoder.get_chunk_type() {
            // Any number from the image's height on means a single strip.
            ChunkType::Strip => part_height.min(height),
            ChunkType::Tile => part_height,
        };
        if part_width.max(part_height) > MAX_SIDE {
            return Err(too_large(format!("in tiles of {part_width} x {part_height} pixels")));
        }
        let (across, down) = (width.div_ceil(part_width), height.div_ceil(part_height));
        Ok(Self {
            width: part_width as usize,
            height: part_height as usize,
            across: across as usize,
            down: down as usize,
        })
    }

    fn count(&self) -> usize {
        self.across * self.down
    }

    /// Where a part lies; it may reach beyond the image to the right and below.
    fn area(&self, part: usize) -> Area {
        let (column, row) = (part % self.across, part / self.across);
        Area { left: column * self.width, top: row * self.height, width: self.width }
    }
}

/// Number of pages, and whether the first has colours.
pub(super) fn contents(bytes: &[u8]) -> Result<Contents, Error> {
    let mut decoder = open(bytes)?;
    let kind = decoder.colortype().map_err(explain)?;
    let pixel = pixel(kind, &mut decoder).ok_or_else(|| unsupported(&describe(kind)))?;
    Ok(Contents { pages: count_pages(&mut decoder, bytes.len())?, coloured: pixel.colours > 1 })
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, Error> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_ALLOCATION as usize;
    limits.intermediate_buffer_size = MAX_ALLOCATION as usize / 4;
    Ok(Decoder::new(Bounded { bytes: Cursor::new(bytes), end: u64::MAX })
        .map_err(explain)?
        .with_limits(limits))
}

/// Follows the chain of directories in a file of so many bytes, also past pages that are not supported.
fn count_pages(decoder: &mut Reader, length: usize) -> Result<usize, Error> {
    let mut seen = BTreeSet::new();
    let mut read = 0;
    let mut next = decoder.ifd_pointer();
    while let Some(IfdPointer(at)) = next {
        if !seen.insert(at) {
            return Err(damaged("its pages form a circle"));
        }
        next = decoder.read_directory(IfdPointer(at)).map_err(explain)?.next();
        read += decoder.inner().bytes.position().saturating_sub(at);
        if read > length as u64 {
            return Err(damaged("the directories of its pages overlap"));
        }
    }
    Ok(seen.len())
}

/// The samples of a pixel of a supported kind.
fn pixel(kind: ColorType, decoder: &mut Reader) -> Option<Pixel> {
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
        _ => return None,
    };
    Some(Pixel { samples, colours })
}

/// Whether the page stores differences to the pixel before, with more samples than are read: the decoder
/// drops the further ones before it adds the differences up, which gives wrong values.
fn has_mixed_up_samples(decoder: &mut Reader, pixel: Pixel) -> Result<bool, Error> {
    let mut tag = |tag| decoder.find_tag_unsigned::<u16>(tag).map_err(explain);
    let samples = tag(Tag::SamplesPerPixel)?.map_or(1, usize::from);
    Ok(samples != pixel.samples && tag(Tag::Predictor)?.is_some_and(|predictor| predictor > 1))
}

fn form(data: &DecodingResult) -> &'static str {
    match data {
        DecodingResult::U32(_) | DecodingResult::U64(_) => "whole-number",
        DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_) => "float",
        _ => "signed",
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
        TiffError::UnsupportedError(TiffUnsupportedError::InterpretationWithBits(
            PhotometricInterpretation::RGBPalette,
            _,
        )) => unsupported("TIFF, palette colour"),
        TiffError::UnsupportedError(e) => unsupported(&format!("TIFF, {e}")),
        other => damaged(&other.to_string()),
    }
}
