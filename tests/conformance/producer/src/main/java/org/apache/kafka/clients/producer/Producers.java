package org.apache.kafka.clients.producer;

import org.apache.kafka.clients.producer.internals.ProducerInterceptors;
import org.apache.kafka.clients.producer.internals.ProducerMetadata;
import org.apache.kafka.clients.producer.internals.RecordAccumulator;
import org.apache.kafka.clients.producer.internals.Sender;
import org.apache.kafka.clients.producer.internals.TransactionManager;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** It lives in Kafka's package because the constructor of KafkaProducer is visible there only. */
public final class Producers {
    private Producers() {
    }

    /** A producer over these parts, without a thread for the sender. */
    public static KafkaProducer<byte[], byte[]> of(Map<String, Object> settings, Metrics metrics,
            ProducerMetadata metadata, RecordAccumulator accumulator, TransactionManager transactions,
            Sender sender, Partitioner partitioner, Time time) {
        return new KafkaProducer<>(new ProducerConfig(settings), new LogContext(), metrics,
            new ByteArraySerializer(), new ByteArraySerializer(), metadata, accumulator, transactions, sender,
            new ProducerInterceptors<>(List.of(), metrics), partitioner, time, null, Optional.empty());
    }
}
