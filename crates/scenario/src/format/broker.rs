//! What brokers are like: settings of Kafka's, and what their machines cost.

use crate::config::{Config, KafkaSettings, ServerTable};
use crate::read::Reader;
use crate::source::Place;
use inflight_des::Delay;
use inflight_protocol::config::ServerConfig;

object! {
    /// What is different about one broker.
    struct Override {
        /// Kafka's broker settings, over those of the cluster.
        "config" config: optional Config<ServerTable>,
        /// The time that a request keeps a request handler busy, besides its appends. A property
        /// of the machine, not a setting of Kafka's.
        "request-time" request_time: optional Delay,
        /// The time that the append of one batch takes. A property of the machine.
        "append-time" append_time: optional Delay,
        /// The time from a commit of the controller until the broker knows it, besides the
        /// network. A property of the machine.
        "metadata-time" metadata_time: optional Delay,
    }
}

/// What machines cost.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) request_time: Delay,
    pub(crate) append_time: Delay,
    pub(crate) metadata_time: Delay,
}

impl Machine {
    /// A broker of these settings on this machine.
    pub(crate) fn configure(
        &self,
        settings: &KafkaSettings,
        place: Place,
        reader: &mut Reader<'_>,
    ) -> Option<ServerConfig> {
        let mut server = settings.configure(place, ServerConfig::from_settings, reader)?;
        server.broker.request_time = self.request_time.clone();
        server.broker.append_time = self.append_time.clone();
        server.broker.metadata_time = self.metadata_time.clone();
        Some(server)
    }

    /// The machine of one broker.
    pub(crate) fn overridden_by(&self, other: &Override) -> Self {
        let or = |own: &Option<Delay>, common: &Delay| own.as_ref().unwrap_or(common).clone();
        Self {
            request_time: or(&other.request_time, &self.request_time),
            append_time: or(&other.append_time, &self.append_time),
            metadata_time: or(&other.metadata_time, &self.metadata_time),
        }
    }
}
