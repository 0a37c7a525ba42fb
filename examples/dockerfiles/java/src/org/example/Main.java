package org.example;

import java.util.List;
import java.util.logging.Logger;

/** Says how it was called. */
public final class Main {
    private record Call(int count, List<String> words) {}

    public static void main(String[] words) {
        Logger.getLogger("start").fine("started");
        System.out.println(new Call(words.length, List.of(words)));
        System.out.println("user " + System.getProperty("user.name") + ", java " + Runtime.version().feature()
                + ", modules " + ModuleLayer.boot().modules().size());
    }
}
