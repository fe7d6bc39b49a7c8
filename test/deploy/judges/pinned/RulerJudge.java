// Asks AWS's event-ruler: a JSON array [pattern, event] on each line of stdin, `true` or `false` on each line of stdout.
// Both of its ways have to agree: the compiled machine and the plain comparison.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.Ruler;

public class RulerJudge {
  @SuppressWarnings("deprecation")
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode asked = json.readTree(line);
      String pattern = asked.get(0).toString();
      String event = asked.get(1).toString();
      Machine machine = new Machine();
      machine.addRule("rule", pattern);
      boolean compiled = !machine.rulesForJSONEvent(event).isEmpty();
      boolean plain = Ruler.matchesRule(event, pattern);
      System.out.println(compiled == plain ? String.valueOf(plain) : "machine " + compiled + ", plain " + plain);
    }
  }
}
