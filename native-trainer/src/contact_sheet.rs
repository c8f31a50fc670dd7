//! Pictures of cells side by side, for the eye.

use anyhow::{Context, Result};
use image::GrayImage;
use image::imageops::replace;
use mitoscope::preprocess::SIDE;

/// One PNG of blocks of pictures, `columns` side by side; each block begins on a row of its own.
///
/// A picture is [`SIDE`] by [`SIDE`] pixels of 8 bits.
///
/// # Errors
/// When a picture has another size, or there is none at all.
pub fn contact_sheet(blocks: &[Vec<Vec<u8>>], columns: usize) -> Result<Vec<u8>> {
    let side = SIDE as u32;
    let columns = columns.min(blocks.iter().map(Vec::len).max().unwrap_or(0)).max(1);
    let rows: usize = blocks.iter().map(|block| block.len().div_ceil(columns)).sum();
    let mut sheet = GrayImage::new(columns as u32 * side, rows as u32 * side);
    for (row, line) in blocks.iter().flat_map(|block| block.chunks(columns)).enumerate() {
        for (column, picture) in line.iter().enumerate() {
            let picture = GrayImage::from_raw(side, side, picture.clone());
            let picture = picture.context("a picture is cut")?;
            replace(&mut sheet, &picture, (column * SIDE) as i64, (row * SIDE) as i64);
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    sheet.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_on_rows_of_their_own() {
        let picture = |grey: u8| vec![grey; SIDE * SIDE];
        let blocks = [vec![picture(10), picture(20), picture(30)], vec![], vec![picture(40)]];
        let sheet = contact_sheet(&blocks, 2).expect("a sheet");
        let sheet = image::load_from_memory(&sheet).expect("a picture").into_luma8();
        let side = SIDE as u32;
        assert_eq!(sheet.dimensions(), (2 * side, 3 * side));
        let middle = |column: u32, row: u32| {
            sheet.get_pixel(column * side + side / 2, row * side + side / 2).0[0]
        };
        assert_eq!([middle(0, 0), middle(1, 0)], [10, 20]);
        assert_eq!([middle(0, 1), middle(1, 1)], [30, 0]);
        assert_eq!([middle(0, 2), middle(1, 2)], [40, 0]);
        let wide = contact_sheet(&blocks, usize::MAX).expect("a sheet");
        let wide = image::load_from_memory(&wide).expect("a picture").into_luma8();
        assert_eq!(wide.dimensions(), (3 * side, 2 * side), "no wider than the longest row");
        assert!(contact_sheet(&[vec![vec![0; 3]]], 2).is_err(), "a picture of three pixels");
    }
}
