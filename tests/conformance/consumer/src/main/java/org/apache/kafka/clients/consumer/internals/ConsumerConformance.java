package org.apache.kafka.clients.consumer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Random;

/**
 * Reads scripts, one JSON object a line, and writes each back with what Kafka's consumer did:
 * {"script": ..., "lines": [...]}.
 *
 * <p>It lives in Kafka's package because ClassicKafkaConsumer can be given a clock and a network
 * there only.
 */
public final class ConsumerConformance {
    private ConsumerConformance() {
    }

    public static void main(String[] args) throws Exception {
        keepOrder();
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String line;
        while ((line = in.readLine()) != null) {
            if (line.isBlank()) {
                continue;
            }
            JsonNode script = json.readTree(line);
            ObjectNode answer = json.createObjectNode();
            answer.set("script", script);
            ArrayNode lines = answer.putArray("lines");
            new Bench(script).run().forEach(lines::add);
            out.println(json.writeValueAsString(answer));
            out.flush();
        }
    }

    /** Cluster shuffles its nodes. Here Collections.shuffle leaves lists as they are. */
    private static void keepOrder() throws ReflectiveOperationException {
        Field random = Collections.class.getDeclaredField("r");
        random.setAccessible(true);
        random.set(null, new Random() {
            @Override
            public int nextInt(int bound) {
                return bound - 1;
            }
        });
    }
}
