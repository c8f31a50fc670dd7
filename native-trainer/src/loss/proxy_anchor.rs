//! The proxy-anchor loss: each proxy pulls the cells of its class and pushes the others, the harder
//! the farther they are from where they belong.
//!
//! Kim et al., "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020, equation 4. There a class has one proxy,
//! which learns a hundred times as fast as the network; here proxies learn as the rest.

use burn::tensor::{Tensor, TensorData};
use mitoscope::classifier::Label;
use mitoscope::embedder::unit_rows;

/// The paper's scale, α.
const SCALE: f32 = 32.0;

/// The paper's margin, δ.
const MARGIN: f32 = 0.1;

/// Mean over the proxies that have a cell of their class, plus mean over all proxies.
///
/// # Shapes
/// - `embeddings`: `[batch, 128]`, rows of length 1
/// - `proxies`: `[2 * n, 128]`, the mitotic class's first, of any length
/// - output: `[1]`
pub fn proxy_anchor(embeddings: &Tensor<2>, proxies: Tensor<2>, labels: &[Label]) -> Tensor<1> {
    let [count, _] = proxies.dims();
    let class = |proxy| if proxy < count / 2 { Label::Mitotic } else { Label::Interphase };
    let present = (0..count).filter(|proxy| labels.contains(&class(*proxy))).count();
    let own: Vec<f32> = labels
        .iter()
        .flat_map(|label| (0..count).map(|proxy| f32::from(u8::from(class(proxy) == *label))))
        .collect();
    let own = TensorData::new(own, [labels.len(), count]);
    let own = Tensor::<2>::from_data(own, &embeddings.device());
    let others = own.clone() * -1.0 + 1.0;
    let cosines = embeddings.clone().matmul(unit_rows(proxies).transpose());
    // An exponent is at most 32 · 1.1, far from overflow.
    let summed = |powers: Tensor<2>, cells: Tensor<2>| {
        (powers.exp() * cells).sum_dim(0).add_scalar(1.0).log().sum()
    };
    let pull = summed((cosines.clone() - MARGIN) * -SCALE, own);
    let push = summed((cosines + MARGIN) * SCALE, others);
    pull / present.max(1) as f32 + push / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Interphase, Mitotic};
    use burn::tensor::Device;

    fn check(labels: &[Label]) {
        let points = [[1.0_f32, 0.0], [-0.6, 0.8], [0.0, -1.0]];
        let proxies = [[2.0_f32, 0.0], [0.3, 0.4], [0.0, -0.1], [-3.0, 4.0]];
        let (mut pulls, mut pushes) = (Vec::new(), Vec::new());
        for (place, proxy) in proxies.iter().enumerate() {
            let class = if place < 2 { Mitotic } else { Interphase };
            let length = f64::from(proxy[0]).hypot(f64::from(proxy[1]));
            let (mut own, mut others) = (Vec::new(), Vec::new());
            for (point, label) in points.iter().zip(labels) {
                let dot: f64 = (0..2).map(|d| f64::from(point[d]) * f64::from(proxy[d])).sum();
                if *label == class {
                    own.push((-32.0 * (dot / length - 0.1)).exp());
                } else {
                    others.push((32.0 * (dot / length + 0.1)).exp());
                }
            }
            if !own.is_empty() {
                pulls.push((1.0 + own.iter().sum::<f64>()).ln());
            }
            pushes.push((1.0 + others.iter().sum::<f64>()).ln());
        }
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        let expected = mean(&pulls) + mean(&pushes);
        let device = Device::flex();
        let embeddings = Tensor::<2>::from_data(TensorData::from(points), &device);
        let proxies = Tensor::from_data(TensorData::from(proxies), &device);
        let loss = proxy_anchor(&embeddings, proxies, labels).into_scalar::<f32>();
        assert!((f64::from(loss) - expected).abs() < 1e-4, "{loss} is not {expected}: {labels:?}");
    }

    #[test]
    fn equals_plain_loops() {
        check(&[Mitotic, Interphase, Mitotic]);
        check(&[Interphase, Interphase, Mitotic]);
    }

    #[test]
    fn proxies_of_an_absent_class_pull_nothing() {
        check(&[Interphase, Interphase, Interphase]);
    }
}
