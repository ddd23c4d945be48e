// Records what a KafkaProducer makes of settings, one line for each line of settings:
//
//   javac -cp kafka-clients-4.1.0.jar:slf4j-api-1.7.36.jar Record.java
//   java --add-opens java.base/java.lang=ALL-UNNAMED -cp .:kafka-clients-4.1.0.jar:... Record < settings.txt
//
// A line is `key=value  key=value`. The answer is `raw` for a ConfigException, `wrapped` for a
// KafkaException that has one as its cause, or the values that are not the defaults.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Record {
    static final String[] KEYS = {
        "acks", "enable.idempotence", "retries", "max.in.flight.requests.per.connection", "batch.size",
        "linger.ms", "delivery.timeout.ms", "request.timeout.ms", "max.block.ms", "buffer.memory",
        "max.request.size", "retry.backoff.ms", "retry.backoff.max.ms", "reconnect.backoff.ms",
        "reconnect.backoff.max.ms", "socket.connection.setup.timeout.ms",
        "socket.connection.setup.timeout.max.ms", "connections.max.idle.ms", "metadata.max.age.ms",
        "metadata.max.idle.ms", "metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms",
        "compression.type", "partitioner.class", "partitioner.adaptive.partitioning.enable",
        "partitioner.availability.timeout.ms", "partitioner.ignore.keys", "transaction.timeout.ms",
    };

    public static void main(String[] args) throws Exception {
        Map<String, String> defaults = values(new HashMap<>());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(line + " => " + answer(settings(line), defaults));
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static Map<String, Object> settings(String line) {
        Map<String, Object> settings = new HashMap<>();
        for (String setting : line.split("  ")) {
            int equals = setting.indexOf('=');
            settings.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return settings;
    }

    static String answer(Map<String, Object> settings, Map<String, String> defaults) throws Exception {
        try {
            Map<String, String> values = values(settings);
            StringJoiner different = new StringJoiner("  ");
            different.setEmptyValue("(defaults)");
            for (String key : KEYS) {
                if (!values.get(key).equals(defaults.get(key))) {
                    different.add(key + "=" + values.get(key));
                }
            }
            return different.toString();
        } catch (ConfigException e) {
            return "raw";
        } catch (KafkaException e) {
            return "wrapped";
        }
    }

    static Map<String, String> values(Map<String, Object> settings) throws Exception {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", "127.0.0.1:1");
        all.put("enable.metrics.push", "false");
        all.put("metric.reporters", "");
        ByteArraySerializer bytes = new ByteArraySerializer();
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(all, bytes, bytes);
        Map<String, ?> raw = ((ProducerConfig) field(producer, "producerConfig")).values();
        Object accumulator = field(producer, "accumulator");
        Map<String, String> values = new HashMap<>();
        for (String key : KEYS) {
            Object value = raw.get(key);
            values.put(key, value instanceof Class ? ((Class<?>) value).getName() : String.valueOf(value));
        }
        values.computeIfPresent("acks", (key, acks) -> acks.equals("-1") ? "all" : acks);
        values.computeIfPresent("metadata.recovery.strategy", (key, word) -> word.toLowerCase());
        values.put("batch.size", String.valueOf(field(accumulator, "batchSize")));
        values.put("linger.ms", String.valueOf(field(accumulator, "lingerMs")));
        values.put("delivery.timeout.ms", String.valueOf(field(accumulator, "deliveryTimeoutMs")));
        // With a long backoff the sender thread never ends, and close would wait for it.
        Thread close = new Thread(() -> producer.close(Duration.ZERO));
        close.setDaemon(true);
        close.start();
        return values;
    }

    static Object field(Object object, String name) throws Exception {
        for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    field.setAccessible(true);
                    return field.get(object);
                }
            }
        }
        throw new NoSuchFieldException(name);
    }
}
