using IngestTools.Sandbox.Faults;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class FaultTextTests
{
    public static TheoryData<string, Fault> Texts =>
        new()
        {
            {
                "503=1%",
                new Fault(FaultKind.Status) { Status = 503, Share = 0.01 }
            },
            {
                "429=5%,2s",
                new Fault(FaultKind.Status)
                {
                    Status = 429,
                    Share = 0.05,
                    Time = TimeSpan.FromSeconds(2),
                }
            },
            {
                "reset=0.1%",
                new Fault(FaultKind.Reset) { Share = 0.001 }
            },
            {
                "latency=20ms",
                new Fault(FaultKind.Latency) { Time = TimeSpan.FromMilliseconds(20) }
            },
            {
                "latency=1.5s,GET",
                new Fault(FaultKind.Latency) { Time = TimeSpan.FromSeconds(1.5), Method = "GET" }
            },
            {
                "lost=2,POST /projects/*/x",
                new Fault(FaultKind.LostAnswer)
                {
                    First = 2,
                    Method = "POST",
                    Path = "/projects/*/x",
                }
            },
            {
                "reset-body=1,64KiB",
                new Fault(FaultKind.ResetInBody) { First = 1, Bytes = 65536 }
            },
            {
                "slow-body=1KiB,10ms",
                new Fault(FaultKind.SlowBody) { Bytes = 1024, Time = TimeSpan.FromMilliseconds(10) }
            },
            {
                "stall=/health",
                new Fault(FaultKind.Stall) { Path = "/health" }
            },
            {
                "lock=1m",
                new Fault(FaultKind.HoldLock) { Time = TimeSpan.FromMinutes(1) }
            },
            { "html", new Fault(FaultKind.Html) },
        };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Text_and_fault_say_the_same(string text, Fault fault)
    {
        Assert.Equal(fault, Fault.Parse(text));
        Assert.Equal(fault, Fault.Parse(fault.ToString()));
    }

    [Theory]
    [InlineData("", "'' is not a kind of fault: use a status from 400 to 599, or latency, ")]
    [InlineData("200=1%", "'200' is not a kind of fault")]
    [InlineData(
        "503=abc",
        "'503=abc': 'abc' is not a share (1%), count (3), time (20ms, 1.5s), size (64KiB) or match (POST /projects/**)."
    )]
    [InlineData("503=0%", "'0%' is not a share")]
    [InlineData("503=101%", "'101%' is not a share")]
    [InlineData("503=", "'' is not a share")]
    [InlineData("503=1%,2%", "'503=1%,2%': '2%' is a second share.")]
    [InlineData("503=1.5s", "'503=1.5s': Retry-After is in whole seconds.")]
    [InlineData("stall=2s", "'stall=2s': stall takes no time.")]
    [InlineData("lost=1KiB", "'lost=1KiB': lost takes no size.")]
    [InlineData("latency=1%", "'latency=1%': latency needs a time, for example latency=20ms.")]
    [InlineData("slow-body=0B", "'slow-body=0B': a body cannot be read in pieces of nothing.")]
    public void Bad_text_is_told_what_is_wrong_with_it(string text, string message)
    {
        FormatException e = Assert.Throws<FormatException>(() => Fault.Parse(text));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
