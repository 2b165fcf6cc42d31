# Kaplan-Meier, Aalen-Johansen, log-rank and Gray's test of R, for survival.csv.
# Rscript tests/reference/survival.R in the root of the checkout; versions in survival.VERSIONS.
library(survival)
library(cmprsk)
set.seed(20261122)
n <- 600
group <- sample(c("A", "B", "C"), n, TRUE, c(.5, .3, .2))
days <- pmin(rgeom(n, c(A = .06, B = .09, C = .05)[group]), 60)
seen <- sample(5:45, n, TRUE)
way <- sample(c("result", "withdrawn", "stopped"), n, TRUE, c(.8, .13, .07))
status <- ifelse(days <= seen, way, "open")
time <- pmin(days, seen)
write.csv(data.frame(group, time, status), "tests/reference/survival_data.csv", row.names = FALSE)
rows <- list()
add <- function(what, group, outcome, time, value) rows[[length(rows) + 1]] <<-
  data.frame(what, group, outcome, time, value)
for (g in unique(group)) {
  i <- group == g
  km <- summary(survfit(Surv(time[i], status[i] != "open") ~ 1, conf.type = "log-log"), censored = FALSE)
  add("km", g, "any", km$time, km$surv); add("km_se", g, "any", km$time, km$std.err)
  add("km_low", g, "any", km$time, km$lower); add("km_high", g, "any", km$time, km$upper)
  q <- quantile(survfit(Surv(time[i], status[i] != "open") ~ 1, conf.type = "log-log"), .5)
  add("median", g, "any", 0, q$quantile); add("median_low", g, "any", 0, q$lower); add("median_high", g, "any", 0, q$upper)
  f <- factor(status[i], c("open", "result", "stopped", "withdrawn"))
  aj <- summary(survfit(Surv(time[i], f) ~ 1), censored = FALSE)
  for (k in 2:4) {
    add("aj", g, levels(f)[k], aj$time, aj$pstate[, k]); add("aj_se", g, levels(f)[k], aj$time, aj$std.err[, k])
  }
}
lr <- survdiff(Surv(time, status != "open") ~ group)
add("log_rank", "", "any", 0, lr$chisq)
ci <- cuminc(time, status, group, cencode = "open")
for (k in rownames(ci$Tests)) add("gray", "", k, 0, ci$Tests[k, "stat"])
two <- group != "C"
ci <- cuminc(time[two], status[two], group[two], cencode = "open")
for (k in rownames(ci$Tests)) add("gray_two", "", k, 0, ci$Tests[k, "stat"])
write.csv(do.call(rbind, rows), "tests/reference/survival.csv", row.names = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival")), paste("cmprsk", packageVersion("cmprsk"))),
  "tests/reference/survival.VERSIONS")
