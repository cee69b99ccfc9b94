using System.Text.RegularExpressions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The folders of the scheduler: each knows only those below it.</summary>
public sealed partial class LayerTests
{
    /// <summary>From the bottom up.</summary>
    private static readonly string[] Layers =
    [
        "Store",
        "Notifications",
        "Timing",
        "Loads",
        "Runs",
        "Control",
        "Page",
        "Hosting",
        "CommandLine",
    ];

    private static string Project => Path.Join(Repository.Root, "src", "IngestTools.Scheduler");

    [Fact]
    public void Every_folder_is_a_layer_and_every_namespace_follows_its_folder()
    {
        string[] folders = Directory
            .GetDirectories(Project)
            .Select(folder => Path.GetFileName(folder))
            .Where(folder => folder is not ("bin" or "obj"))
            .ToArray();

        Assert.Equal(Layers.Order(), folders.Order());
        Assert.All(
            Layers.SelectMany(layer => FilesOf(layer).Select(file => (layer, file))),
            entry => Assert.Contains($"namespace IngestTools.Scheduler.{entry.layer};", File.ReadAllText(entry.file))
        );
    }

    [Fact]
    public void A_folder_knows_only_those_below_it()
    {
        List<string> upward = [];
        int downward = 0;
        for (int from = 0; from < Layers.Length; from++)
        {
            foreach (string file in FilesOf(Layers[from]))
            {
                foreach (string known in KnownLayers(File.ReadAllText(file)))
                {
                    int to = Array.IndexOf(Layers, known);
                    if (to > from)
                        upward.Add($"{Path.GetRelativePath(Project, file)} knows {known}.");
                    else if (to < from)
                        downward++;
                }
            }
        }

        Assert.Empty(upward);
        Assert.InRange(downward, 20, int.MaxValue);
    }

    [Theory]
    [InlineData("using IngestTools.Scheduler.Runs;")]
    [InlineData("using Planner = IngestTools.Scheduler.Runs.RunPlanner;")]
    [InlineData("new IngestTools.Scheduler.Runs.RunPlanner()")]
    [InlineData("Scheduler.Runs.RunPlanner.Grace")]
    [InlineData("JobBuilder.Create<Runs.PlanJob>()")]
    public void Every_way_to_name_a_folder_is_found(string code) => Assert.Equal(["Runs"], KnownLayers(code));

    private static string[] FilesOf(string layer) => Directory.GetFiles(Path.Join(Project, layer), "*.cs", SearchOption.AllDirectories);

    /// <summary>The layers that code names: with the namespace, or in part, as within IngestTools.Scheduler it can be.</summary>
    private static string[] KnownLayers(string code) =>
        NamesOfLayers()
            .Matches(Comments().Replace(code, ""))
            .Select(match => match.Groups["layer"].Value)
            .Where(Layers.Contains)
            .Distinct()
            .ToArray();

    [GeneratedRegex(@"(?:\bScheduler\.(?<layer>[A-Z]\w+)\b)|(?:(?<![.\w])(?<layer>[A-Z]\w+)\.(?=[A-Z]))")]
    private static partial Regex NamesOfLayers();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(?:[^""\\\n]|\\.)*""", RegexOptions.Singleline)]
    private static partial Regex Comments();
}
