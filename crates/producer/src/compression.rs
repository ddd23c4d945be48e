//! The running estimate of what compression achieves, which decides how much goes into a batch.
//! Kafka: common/record/internal/CompressionRatioEstimator, global per topic and codec.

use inflight_protocol::TopicId;
use inflight_protocol::config::CompressionType;

/// A ratio that turned out worse is taken over at once, but by at least this much.
const WORSE_STEP: f32 = 0.05;
/// A ratio that turned out better is approached by this much a batch.
const BETTER_STEP: f32 = 0.005;

/// Estimates of compressed by uncompressed size, one a topic.
#[derive(Debug)]
pub(crate) struct CompressionRatios {
    enabled: bool,
    estimates: Vec<f32>,
}

inflight_des::clone_fields!(CompressionRatios { enabled, estimates });

impl CompressionRatios {
    pub(crate) fn new(compression: CompressionType, topics: usize) -> Self {
        Self { enabled: compression != CompressionType::None, estimates: vec![1.0; topics] }
    }

    /// The estimate for a new batch, `None` without compression.
    pub(crate) fn estimate(&self, topic: TopicId) -> Option<f32> {
        self.enabled.then(|| self.estimates[topic.index()])
    }

    /// A batch was closed with this ratio. Kafka: updateEstimation.
    pub(crate) fn observed(&mut self, topic: TopicId, ratio: f32) {
        let estimate = &mut self.estimates[topic.index()];
        if ratio > *estimate {
            *estimate = (*estimate + WORSE_STEP).max(ratio);
        } else if ratio < *estimate {
            *estimate = (*estimate - BETTER_STEP).max(ratio);
        }
    }

    /// A batch was too large for the broker. Kafka: RecordAccumulator.splitAndReenqueue.
    pub(crate) fn too_large(&mut self, topic: TopicId, ratio: f32) {
        self.estimates[topic.index()] = ratio.max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_sinks_slowly_and_rises_at_once() {
        let topic = TopicId::new(0);
        let mut ratios = CompressionRatios::new(CompressionType::Zstd, 1);
        ratios.observed(topic, 0.5);
        assert_eq!(ratios.estimate(topic), Some(0.995));
        for _ in 0..200 {
            ratios.observed(topic, 0.5);
        }
        assert_eq!(ratios.estimate(topic), Some(0.5));
        ratios.observed(topic, 0.51);
        assert_eq!(ratios.estimate(topic), Some(0.55));
        ratios.observed(topic, 0.9);
        assert_eq!(ratios.estimate(topic), Some(0.9));
        ratios.too_large(topic, 0.9);
        assert_eq!(ratios.estimate(topic), Some(1.0));
    }

    #[test]
    fn without_compression_there_is_no_estimate() {
        let ratios = CompressionRatios::new(CompressionType::None, 1);
        assert_eq!(ratios.estimate(TopicId::new(0)), None);
    }
}
