package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** One JSON document per line in, one out. */
final class Lines {
    static final ObjectMapper JSON = new ObjectMapper();

    /** What is done with a line. */
    interface Answer {
        JsonNode to(JsonNode script) throws Exception;
    }

    private Lines() {}

    static void answer(Answer answer) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.print(JSON.writeValueAsString(answer.to(JSON.readTree(line))));
            out.print('\n');
            out.flush();
        }
    }
}
