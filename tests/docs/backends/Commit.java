import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Commit the receipts of the second argument at the function of the first: the state or code of each. */
class Commit {
    public static void main(String[] arguments) throws Exception {
        String told = Commits.commit(arguments[0], List.of(arguments[1].split(",")), arguments[2]);
        Matcher found = Pattern.compile("\"(?:state|code)\":\"(\\w+)\"").matcher(told);
        StringBuilder line = new StringBuilder();
        while (found.find()) {
            line.append(line.length() > 0 ? " " : "").append(found.group(1));
        }
        System.out.println(line);
    }
}
