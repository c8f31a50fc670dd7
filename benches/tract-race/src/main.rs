//! tract's side of `cargo xtask bench native`: `tract-race FOLDER GRAPH THREADS`; the rest is as in
//! `examples/inference_race.rs`. tract computes with one thread.

use std::error::Error;
use std::fs;
use std::io::{BufRead, stdin};
use std::time::Instant;

use tract_onnx::prelude::*;

const IMAGE: [usize; 3] = [3, 128, 128];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: tract-race FOLDER GRAPH THREADS");
    let (folder, graph, threads) = (next()?, next()?, next()?);
    if threads != "1" {
        return Err("tract computes with one thread".into());
    }
    let bytes = fs::read(format!("{folder}/inputs.bin"))?;
    let numbers: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
    let images: Vec<&[f32]> = numbers.chunks_exact(IMAGE.iter().product()).collect();

    let started = Instant::now();
    let [channels, height, width] = IMAGE;
    let plan = tract_onnx::onnx()
        .model_for_path(format!("{folder}/{graph}.onnx"))?
        .with_input_fact(0, f32::fact([1, channels, height, width]).into())?
        .into_optimized()?
        .into_runnable()?;
    let embed = |image: &[f32]| -> TractResult<Vec<f32>> {
        let tensor = Tensor::from_shape(&[1, channels, height, width], image)?;
        let result = plan.run(tvec!(tensor.into()))?;
        Ok(result[0].try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    };
    let mut embeddings = vec![embed(images[0])?];
    let first = 1e3 * started.elapsed().as_secs_f64();
    embeddings.push(embed(images[1])?);
    println!("{}", serde_json::json!({ "first_ms": first, "embeddings": embeddings }));
    for line in stdin().lock().lines() {
        let batch: usize = line?.trim().parse()?;
        let started = Instant::now();
        for image in &images[..batch] {
            embed(image)?;
        }
        let time = 1e3 * started.elapsed().as_secs_f64() / batch as f64;
        println!("{}", serde_json::json!({ "ms": time }));
    }
    Ok(())
}
