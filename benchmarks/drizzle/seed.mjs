// drizzle-seed: its own generators, its own inserts, into the table that is there.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { seed } from "drizzle-seed";

const students = sqliteTable("students", {
  id: integer("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  grade: integer("grade").notNull(),
  birthday: text("birthday").notNull(),
  enrolledDate: text("enrolled_date").notNull(),
});

const [file, count] = process.argv.slice(2);
const client = new Database(file);
const database = drizzle(client);

const cpu = process.cpuUsage();
const begun = process.hrtime.bigint();
client.exec("BEGIN");
await seed(database, { students }, { count: Number(count) }).refine((make) => ({
  students: {
    columns: {
      name: make.fullName(),
      email: make.email(),
      grade: make.int({ minValue: 1, maxValue: 12 }),
      birthday: make.date({ minDate: "2008-01-01", maxDate: "2019-12-31" }),
      enrolledDate: make.datetime(),
    },
  },
}));
client.exec("COMMIT");
client.close();
const wall = Number(process.hrtime.bigint() - begun) / 1e9;
const used = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    wall,
    cpu: (used.user + used.system) / 1e6,
    server_cpu: 0,
    other_cpu: 0,
    peak_mib: process.resourceUsage().maxRSS / 1024,
  }),
);
