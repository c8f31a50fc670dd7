//! Fig. 4: embeddings in two dimensions by t-SNE (van der Maaten and Hinton 2008).

use anyhow::Result;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};

use crate::reproduction::record::EmbeddingMap;

/// Effective number of neighbours, fewer where there are few cells.
const PERPLEXITY: f32 = 30.0;

/// Descent steps.
const EPOCHS: usize = 750;

/// Accuracy of the Barnes-Hut approximation.
const THETA: f32 = 0.5;

/// Fewer cells have no neighbourhood to keep.
const FEWEST: usize = 8;

/// Maps training and test embeddings together; the same seed gives the same map.
///
/// # Errors
/// When no thread can be started.
pub fn embedding_map(train: &[Vec<f32>], test: &[Vec<f32>], seed: u64) -> Result<EmbeddingMap> {
    let points: Vec<&[f32]> = train.iter().chain(test).map(Vec::as_slice).collect();
    let mut places = initial(points.len(), seed)?;
    if points.len() >= FEWEST {
        let distance = |a: &&[f32], b: &&[f32]| -> f32 {
            a.iter().zip(*b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
        };
        let fit = || {
            bhtsne::tSNE::<f32, &[f32], 2>::new(&points)
                .perplexity(PERPLEXITY.min((points.len() - 1) as f32 / 4.0))
                .epochs(EPOCHS)
                .initial_embedding(places)
                .barnes_hut(THETA, distance)
                .embedding()
        };
        // On several threads its sums come out in another order each time.
        places = rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(fit);
    }
    let mut places = places.chunks_exact(2).map(|place| [place[0], place[1]]);
    let train = places.by_ref().take(train.len()).collect();
    Ok(EmbeddingMap { train, test: places.collect() })
}

/// Small random places, as t-SNE starts from.
fn initial(count: usize, seed: u64) -> Result<Vec<f32>> {
    let normal = Normal::new(0.0, 1e-4)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok((0..2 * count).map(|_| normal.sample(&mut rng)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clusters far apart, as many cells each.
    fn clusters(count: usize) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let normal = Normal::new(0.0_f32, 0.1).expect("a distribution");
        let mut point = |centre: f32| (0..8).map(|_| centre + normal.sample(&mut rng)).collect();
        (0..2 * count).map(|i| point(if i < count { 0.0 } else { 5.0 })).collect()
    }

    #[test]
    fn clusters_stay_apart_and_the_map_repeats() {
        let points = clusters(60);
        let map = embedding_map(&points[..100], &points[100..], 4).expect("mapped");
        assert_eq!((map.train.len(), map.test.len()), (100, 20));
        let centre = |places: &[[f32; 2]]| {
            [0, 1].map(|axis| places.iter().map(|p| p[axis]).sum::<f32>() / places.len() as f32)
        };
        let distance = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let (first, second) = (centre(&map.train[..60]), centre(&map.train[60..]));
        let within = map.train[..60].iter().map(|p| distance(*p, first)).fold(0.0, f32::max);
        assert!(distance(first, second) > within, "{first:?} {second:?} {within}");
        assert!(map.test.iter().all(|p| distance(*p, second) < distance(*p, first)));
        assert_eq!(map, embedding_map(&points[..100], &points[100..], 4).expect("mapped"));
    }

    #[test]
    fn few_cells_are_mapped_without_a_neighbourhood() {
        for count in 0..FEWEST {
            let points = vec![vec![1.0; 8]; count];
            let map = embedding_map(&points, &[], 1).expect("mapped");
            assert!(map.train.len() == count && map.train.iter().flatten().all(|v| v.is_finite()));
        }
    }
}
