package conformance.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * An application with a KafkaProducer. It reads commands, one JSON object a line, and writes a line
 * for each command that is done and for each callback.
 *
 * <p>Arguments: bootstrap.servers, and for how many seconds it may live.
 */
public final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String servers;
    private final Admin admin;
    private final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();

    private Client(String servers) {
        this.servers = servers;
        this.admin = Admin.create(Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, servers,
            AdminClientConfig.CLIENT_ID_CONFIG, "admin",
            AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000",
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "20000"));
    }

    public static void main(String[] arguments) throws InterruptedException {
        Tether.limit(Long.parseLong(arguments[1]));
        // A command may block; the end of the input is to be heard all the same.
        var commands = new LinkedBlockingQueue<String>();
        Tether.start("input", () -> Tether.read(commands::add));
        var client = new Client(arguments[0]);
        while (true) {
            client.obey(commands.take());
        }
    }

    private static synchronized void print(ObjectNode line) {
        System.out.println(line);
    }

    private void obey(String line) {
        var answer = JSON.createObjectNode();
        try {
            var command = JSON.readTree(line);
            answer.set("done", command.get("do"));
            carryOut(command, answer);
        } catch (Exception wrong) {
            answer.put("wrong", wrong.toString());
        }
        print(answer);
    }

    private void carryOut(JsonNode command, ObjectNode answer) throws Exception {
        switch (command.get("do").asText()) {
            case "nothing" -> { }
            case "create" -> create(command);
            case "describe" -> describe(command, answer);
            case "prefer" -> prefer(command);
            case "open" -> open(command);
            case "send" -> send(command);
            case "begin" -> producer(command).beginTransaction();
            case "commit", "abort" -> end(command, answer);
            case "features" -> features(command);
            case "brokers" -> brokers(command);
            case "close" -> producers.remove(command.get("producer").asText()).close(PATIENCE);
            case "read" -> read(command, answer);
            case "replica" -> Replica.read(Path.of(command.get("directory").asText()), answer);
            default -> throw new IllegalArgumentException(command.toString());
        }
    }

    private static Map<String, String> texts(JsonNode config) {
        var texts = new TreeMap<String, String>();
        config.fields().forEachRemaining(entry -> texts.put(entry.getKey(), entry.getValue().asText()));
        return texts;
    }

    private void create(JsonNode command) throws Exception {
        var assignment = new HashMap<Integer, List<Integer>>();
        for (var replicas : command.get("assignment")) {
            var brokers = new ArrayList<Integer>();
            replicas.forEach(broker -> brokers.add(broker.asInt()));
            assignment.put(assignment.size(), brokers);
        }
        var topic = new NewTopic(command.get("topic").asText(), assignment);
        admin.createTopics(List.of(topic.configs(texts(command.get("config"))))).all().get();
    }

    /** Leader, in-sync replicas and eligible leaders of each partition, as a live broker knows them. */
    private void describe(JsonNode command, ObjectNode answer) throws Exception {
        var topic = command.get("topic").asText();
        var found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        var partitions = answer.putArray("partitions");
        for (var partition : found.partitions()) {
            var one = partitions.addObject();
            one.put("leader", partition.leader() == null ? -1 : partition.leader().id());
            var isr = one.putArray("isr");
            partition.isr().stream().map(Node::id).sorted().forEach(isr::add);
        }
    }

    /** Each partition of a topic is led by its first replica. */
    private void prefer(JsonNode command) throws Exception {
        var topic = command.get("topic").asText();
        var found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        var partitions = new HashSet<TopicPartition>();
        found.partitions().forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
        for (var wrong : admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get().values()) {
            if (wrong.isPresent() && !(wrong.get() instanceof ElectionNotNeededException)) {
                throw new IllegalStateException(wrong.get());
            }
        }
    }

    private void open(JsonNode command) {
        var name = command.get("producer").asText();
        var config = new Properties();
        config.putAll(texts(command.get("config")));
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        config.put(ProducerConfig.CLIENT_ID_CONFIG, name);
        var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
        producers.put(name, producer);
        if (config.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
            producer.initTransactions();
        }
    }

    private KafkaProducer<String, String> producer(JsonNode command) {
        return producers.get(command.get("producer").asText());
    }

    /** The end of a transaction, or that it was refused. */
    private void end(JsonNode command, ObjectNode answer) {
        var producer = producer(command);
        try {
            if (command.get("do").asText().equals("commit")) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
        } catch (KafkaException wrong) {
            answer.put("failed", wrong.getClass().getSimpleName());
        }
    }

    /** The level of transaction.version. */
    private void features(JsonNode command) throws Exception {
        short level = (short) command.get("level").asInt();
        var known = admin.describeFeatures().featureMetadata().get().finalizedFeatures();
        var now = known.get(TransactionVersion.FEATURE_NAME);
        if (now != null && now.maxVersionLevel() == level) {
            return;
        }
        var type = now != null && now.maxVersionLevel() > level
                ? FeatureUpdate.UpgradeType.SAFE_DOWNGRADE : FeatureUpdate.UpgradeType.UPGRADE;
        admin.updateFeatures(Map.of(TransactionVersion.FEATURE_NAME, new FeatureUpdate(level, type)),
                new UpdateFeaturesOptions()).all().get();
    }

    /** Settings of all brokers. */
    private void brokers(JsonNode command) throws Exception {
        var all = new ConfigResource(ConfigResource.Type.BROKER, "");
        List<AlterConfigOp> changes = new ArrayList<>();
        texts(command.get("config")).forEach((key, value) -> changes.add(
                new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
        admin.incrementalAlterConfigs(Map.of(all, changes)).all().get();
    }

    private void send(JsonNode command) {
        var message = command.get("message").asInt();
        var partition = command.get("partition").asInt();
        var record = new ProducerRecord<String, String>(
            command.get("topic").asText(), partition, null, Integer.toString(message));
        producers.get(command.get("producer").asText()).send(record, (metadata, wrong) -> {
            var told = JSON.createObjectNode();
            told.put("told", message);
            if (wrong != null) {
                told.put("error", wrong.getClass().getSimpleName());
            } else if (metadata.hasOffset()) {
                told.put("offset", metadata.offset());
            }
            print(told);
        });
    }

    /** Everything that a consumer gets from the beginning on, read_uncommitted or not. */
    private void read(JsonNode command, ObjectNode answer) {
        var partition = new TopicPartition(command.get("topic").asText(), command.get("partition").asInt());
        var config = new Properties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        config.put(ConsumerConfig.CLIENT_ID_CONFIG, "reader");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        if (command.has("committed")) {
            config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        }
        var messages = answer.putArray("read");
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition), PATIENCE).get(partition);
            while (consumer.position(partition, PATIENCE) < end) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    messages.add(Integer.parseInt(record.value()));
                }
            }
        }
    }
}
