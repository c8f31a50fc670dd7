use std::f32::consts::FRAC_PI_2;

use super::*;

const CENTRED: Window = Window { cx: 64.0, cy: 64.0, side: 128.0, angle: 0.0, mirror: false };

fn textured(width: usize, height: usize) -> GreyImage {
    let value = |i: usize| {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        0.3 + 0.2 * (x * 0.13).sin() + 0.1 * (y * 0.07 + x * 0.02).cos()
    };
    GreyImage::new(width, height, (0..width * height).map(value).collect()).expect("valid")
}

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let worst =
        a.iter().zip(b).find(|(a, b)| (**a - **b).abs().is_nan() || (**a - **b).abs() > tolerance);
    assert_eq!(worst, None, "differ by more than {tolerance}");
}

#[test]
fn cutting_at_scale_one_copies() {
    let image = textured(128, 128);
    assert_eq!(cut(&image, &CENTRED).0, image.pixels());
}

#[test]
fn cutting_at_scale_two_averages() {
    let image = textured(256, 256);
    let patch = cut(&image, &Window { cx: 128.0, cy: 128.0, side: 256.0, ..CENTRED });
    let p = |x: usize, y: usize| image.pixels()[y * 256 + x];
    let mean = (p(20, 40) + p(21, 40) + p(20, 41) + p(21, 41)) / 4.0;
    assert!((patch.0[20 * SIDE + 10] - mean).abs() < 1e-6);
}

#[test]
fn quarter_turn_and_mirror_move_pixels() {
    let image = textured(128, 128);
    let turned = cut(&image, &Window { angle: FRAC_PI_2, ..CENTRED }).0;
    let mirrored = cut(&image, &Window { mirror: true, ..CENTRED }).0;
    let at = |x: usize, y: usize| image.pixels()[y * SIDE + x];
    let places = (0..SIDE * SIDE).map(|i| (i % SIDE, i / SIDE));
    let expected: Vec<f32> = places.clone().map(|(x, y)| at(SIDE - 1 - y, x)).collect();
    close(&turned, &expected, 1e-4);
    let expected: Vec<f32> = places.map(|(x, y)| at(SIDE - 1 - x, y)).collect();
    close(&mirrored, &expected, 0.0);
}

#[test]
fn beyond_the_border_the_nearest_pixel_is_repeated() {
    let image = textured(50, 40);
    let patch = cut(&image, &Window { cx: 0.0, cy: 0.0, side: 128.0, ..CENTRED });
    assert_eq!(patch.0[0], image.pixels()[0]);
    assert_eq!(patch.0[64 * SIDE], image.pixels()[0]);
    assert_eq!(patch.0[SIDE * SIDE - 1], image.pixels()[50 * 40 - 1]);
}

#[test]
fn odd_windows_give_values_in_range() {
    let image = textured(9, 7);
    for side in [0.0, 1e-3, 1e9, f32::NAN] {
        let patch = cut(&image, &Window { side, angle: 0.3, ..CENTRED });
        assert_eq!(patch.0.len(), SIDE * SIDE);
        if !side.is_nan() {
            assert!(patch.0.iter().all(|v| (0.0..=1.0).contains(v)), "side {side}");
        }
    }
}

#[test]
fn windows_of_a_field_share_one_side() {
    let image = textured(300, 200);
    let cell = |x: f32, w: f32| CellBox { x, y: 10.0, w, h: w };
    let boxes = [cell(0.0, 20.0), cell(50.0, 40.0), cell(100.0, 30.0)];
    let windows = Preprocess::paper().windows(&image, &boxes);
    assert!(windows.iter().all(|w| (w.side - 57.0).abs() < 1e-4));
    assert_eq!((windows[1].cx, windows[1].cy), (70.0, 30.0));
    let alone = Preprocess::paper().windows(&image, &[CellBox::whole(&image)]);
    assert_eq!((alone[0].side, alone[0].cx, alone[0].cy), (300.0, 150.0, 100.0));
    let single = Preprocess::paper().windows(&image, &boxes[..1]);
    assert!((single[0].side - 38.0).abs() < 1e-4);
}

#[test]
fn brightness_and_offset_change_only_the_field_scale() {
    let preset = Preprocess::modern();
    let patch = cut(&textured(128, 128), &CENTRED);
    let other = Patch(patch.0.iter().map(|v| 0.5 * v + 0.1).collect());
    let levels = preset.levels(std::slice::from_ref(&patch));
    let (a, b) = (preset.input(&patch, &levels), preset.input(&other, &levels));
    let n = SIDE * SIDE;
    close(&a[..n], &b[..n], 1e-4);
    close(&a[2 * n..], &b[2 * n..], 1e-3);
    assert!(a[n..2 * n].iter().zip(&b[n..2 * n]).any(|(a, b)| (a - b).abs() > 0.05));
    // Levels taken from the same brightness make the field scale invariant, too.
    let own = preset.levels(std::slice::from_ref(&other));
    close(&a[n..2 * n], &preset.input(&other, &own)[n..2 * n], 1e-3);
}

#[test]
fn typical_cell_is_half_in_the_field_scale() {
    let levels = FieldLevels { background: 0.1, cell: 0.3 };
    let mut patch = Patch(vec![0.1; SIDE * SIDE]);
    patch.0[0] = 0.3;
    patch.0[1] = 0.9;
    let input = Preprocess::modern().input(&patch, &levels);
    let field = &input[SIDE * SIDE..];
    assert!((field[0] - 0.5).abs() < 1e-6 && field[1] > 0.6 && field[2] < 0.01);
}

#[test]
fn flat_patches_give_finite_inputs() {
    for preset in [Preprocess::paper(), Preprocess::modern()] {
        for value in [0.0, 0.4, 1.0] {
            let patch = Patch(vec![value; SIDE * SIDE]);
            for levels in [
                preset.levels(std::slice::from_ref(&patch)),
                FieldLevels { background: 0.5, cell: 0.2 },
            ] {
                let input = preset.input(&patch, &levels);
                assert_eq!(input.len(), CHANNELS * SIDE * SIDE);
                assert!(input.iter().all(|v| (0.0..=1.0).contains(v)));
            }
        }
    }
}

#[test]
fn paper_replicates_one_channel() {
    let image = textured(128, 128);
    let paper = Preprocess::paper();
    let cells = paper.cut_field(&image, &[CellBox::whole(&image)]).expect("ok");
    assert_eq!(cells, paper.cut_crops([&image]));
    let input = paper.input(&cells.patches[0], &cells.levels);
    let n = SIDE * SIDE;
    assert_eq!(input[..n], input[n..2 * n]);
    assert_eq!(input[..n], input[2 * n..]);
    let outside = CellBox { x: 100.0, y: 0.0, w: 60.0, h: 20.0 };
    assert!(matches!(paper.cut_field(&image, &[outside]), Err(Error::Cell(_))));
}

#[test]
fn settings_of_a_model_are_checked() {
    assert!(Preprocess::modern().check().is_ok());
    let wrong = Preprocess { crop_factor: f32::NAN, ..Preprocess::paper() };
    assert!(matches!(wrong.check(), Err(Error::Model(_))));
    let wrong = Preprocess { low_percentile: 99.9, ..Preprocess::paper() };
    assert!(matches!(wrong.check(), Err(Error::Model(_))));
}
