use super::*;

/// A noisy dark field with bright discs `(x, y, radius, brightness)`.
fn field(width: usize, height: usize, discs: &[(f32, f32, f32, f32)]) -> GreyImage {
    let value = |i: usize| {
        let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        let noise = (i * 7919 % 101) as f32 / 101.0 * 0.02;
        let inside = |d: &&(f32, f32, f32, f32)| (x - d.0).hypot(y - d.1) < d.2;
        noise + discs.iter().find(inside).map_or(0.02, |d| d.3)
    };
    GreyImage::new(width, height, (0..width * height).map(value).collect()).expect("valid")
}

/// Checks that exactly one found box fits each disc.
fn check_found(image: &GreyImage, discs: &[(f32, f32, f32, f32)], tolerance: f32) {
    let boxes = find_cells(image).expect("cells");
    assert_eq!(boxes.len(), discs.len(), "{boxes:?}");
    for (x, y, radius, _) in discs {
        let fits = |b: &&CellBox| {
            let (cx, cy) = b.center();
            let size = 2.0 * radius * (1.0 + 2.0 * BOX_MARGIN);
            (cx - x).hypot(cy - y) < tolerance && (b.size() - size).abs() < 2.0 * tolerance
        };
        assert_eq!(boxes.iter().filter(fits).count(), 1, "disc at {x}, {y}: {boxes:?}");
    }
    assert!(boxes.iter().all(|b| b.check(image).is_ok()));
}

#[test]
fn discs_of_different_brightness_are_found() {
    let discs = [(60.0, 60.0, 25.0, 0.2), (160.0, 70.0, 22.0, 0.9), (100.0, 150.0, 28.0, 0.25)];
    check_found(&field(240, 200, &discs), &discs, 5.0);
}

#[test]
fn large_images_are_scaled_back() {
    let discs = [(700.0, 500.0, 180.0, 0.5), (1900.0, 800.0, 200.0, 0.6)];
    check_found(&field(2800, 1400, &discs), &discs, 12.0);
}

#[test]
fn touching_discs_are_split() {
    for distance in [60.0, 54.0] {
        let discs = [
            (80.0, 100.0, 30.0, 0.4),
            (80.0 + distance, 100.0, 30.0, 0.4),
            (220.0, 60.0, 30.0, 0.4),
        ];
        check_found(&field(280, 200, &discs), &discs, 6.0);
    }
}

/// Round cells with a speckled cytoplasm and a dim nucleus beside their middle.
#[test]
fn nuclei_in_a_stained_cytoplasm_are_found_at_their_own_size() {
    let (width, height) = (480, 360);
    let cells: Vec<(f32, f32)> =
        (0..12).map(|i| ((i % 4) as f32 * 120.0 + 60.0, (i / 4) as f32 * 120.0 + 60.0)).collect();
    let value = |i: usize| {
        let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        let within =
            |dx: f32, radius: f32| cells.iter().any(|c| (x - c.0 - dx).hypot(y - c.1) < radius);
        let speckle = (i / 4 * 7919 % 101) as f32 / 101.0;
        match (within(6.0, 24.0), within(0.0, 50.0)) {
            (true, _) => 0.18,
            (_, true) => 0.5 + 0.2 * speckle,
            _ => 0.02 + 0.005 * speckle,
        }
    };
    let image =
        GreyImage::new(width, height, (0..width * height).map(value).collect()).expect("valid");
    let nuclei: Vec<_> = cells.iter().map(|c| (c.0 + 6.0, c.1, 24.0, 0.18)).collect();
    check_found(&image, &nuclei, 6.0);
}

#[test]
fn holes_and_debris_do_not_count() {
    let discs = [
        (70.0, 70.0, 10.0, 0.02),
        (70.0, 70.0, 30.0, 0.5),
        (180.0, 90.0, 30.0, 0.5),
        (120.0, 170.0, 4.0, 0.8),
    ];
    check_found(&field(250, 200, &discs), &discs[1..3], 5.0);
}

#[test]
fn a_scale_bar_is_no_cell() {
    let discs = [(100.0, 150.0, 25.0, 0.4), (250.0, 140.0, 25.0, 0.4)];
    let plain = field(400, 240, &discs);
    let mut pixels = plain.pixels().to_vec();
    for y in 40..42 {
        pixels[y * 400 + 20..][..120].fill(1.0);
    }
    pixels[26 * 400 + 50..][..40].fill(0.8);
    check_found(&GreyImage::new(400, 240, pixels).expect("valid"), &discs, 5.0);
}

#[test]
fn a_saturated_nucleus_is_no_scale_bar() {
    const WHITE: f32 = 0.9;
    let discs = [(100.0, 60.0, 25.0, 0.93), (250.0, 80.0, 30.0, 0.95)];
    let clipped: Vec<f32> =
        field(400, 240, &discs).pixels().iter().map(|value| value.min(WHITE)).collect();
    let image = |pixels: Vec<f32>| GreyImage::new(400, 240, pixels).expect("valid");
    assert_eq!(scale_bar::scale_bar(&image(clipped.clone())), None);
    let mut with_bar = clipped;
    for y in 200..202 {
        with_bar[y * 400 + 20..][..120].fill(WHITE);
    }
    let bar = scale_bar::scale_bar(&image(with_bar)).expect("a bar below");
    assert_eq!((bar.x, bar.w, bar.y + bar.h), (20.0, 120.0, 202.0));
}

#[test]
fn an_empty_field_is_an_error() {
    for value in [0.0, 0.5, 1.0] {
        let flat = GreyImage::new(300, 200, vec![value; 60_000]).expect("valid");
        assert!(matches!(find_cells(&flat), Err(Error::Cell(_))));
    }
    let tiny = GreyImage::new(1, 1, vec![0.3]).expect("valid");
    assert!(matches!(find_cells(&tiny), Err(Error::Cell(_))));
    let stripe = GreyImage::new(1, 4, vec![0.0, 1.0, 1.0, 0.0]).expect("valid");
    assert!(matches!(find_cells(&stripe), Err(Error::Cell(_))));
}

#[test]
fn boxes_are_checked_and_measured() {
    let image = field(50, 40, &[]);
    assert!(CellBox::whole(&image).check(&image).is_ok());
    let bad = [(-1.0, 0.0, 5.0, 5.0), (46.0, 0.0, 5.0, 5.0), (0.0, 0.0, 0.5, 5.0)];
    for (x, y, w, h) in bad.into_iter().chain([(f32::NAN, 0.0, 5.0, 5.0)]) {
        assert!(matches!(CellBox { x, y, w, h }.check(&image), Err(Error::Cell(_))));
    }
    let square = |w: f32| CellBox { x: 0.0, y: 0.0, w, h: 4.0 * w };
    assert_eq!(square(5.0).size(), 10.0);
    assert_eq!(square(5.0).center(), (2.5, 10.0));
    assert_eq!(typical_size(&[square(1.0), square(5.0), square(2.0)]), 4.0);
    assert_eq!(typical_size(&[]), 0.0);
}
